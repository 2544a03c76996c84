import RPC

/// The time of one request, divided over its stages.
struct StageDeadlines {
    let recall: Deadline
    let rank: Deadline

    /// Each stage gets its configured time, or its share of what the caller leaves when that is less; the ranker also
    /// gets what recall did not use.
    init(caller: Deadline, configuration: OrchestratorConfiguration) {
        let total = min(caller.remaining, configuration.requestTimeout)
        let share = configuration.recallTimeout / (configuration.recallTimeout + configuration.rankTimeout)
        recall = Deadline(timeout: min(configuration.recallTimeout, total * share))
        rank = Deadline(timeout: total)
        rankTimeout = configuration.rankTimeout
    }

    private let rankTimeout: Duration

    /// The ranker's deadline, once recall is done.
    func rankFromNow() -> Deadline {
        min(rank, Deadline(timeout: rankTimeout))
    }
}
