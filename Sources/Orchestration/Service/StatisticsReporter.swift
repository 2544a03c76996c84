import Catalog
import FeatureStore
import Kernels
import Logging
import Messages
import RPC
import Ranking
import Synchronization

/// Tells every ranker what users did, a short while after it was reported, so that item statistics are fresh.
///
/// A ranker that does not answer is told later, in order; what waits for one is bounded, and the oldest is dropped.
final class StatisticsReporter: Sendable {
    private let outboxes: [StatisticsOutbox]

    init(rankers: [ShardClient], interval: Duration, logger: Logger) {
        outboxes = rankers.map { StatisticsOutbox(ranker: $0, interval: interval, logger: logger) }
    }

    func add(_ events: [UserEvent], on snapshot: FunnelSnapshot) {
        guard !events.isEmpty else { return }
        // What a message may not hold, no ranker needs.
        let fields = min(snapshot.users.fieldCount, RequestLimits.profileFieldsMax)
        let told = events.map { event in
            LiveEvent(
                item: event.interaction.item, timeMilliseconds: event.interaction.timeMilliseconds,
                actions: event.interaction.actions, watchSeconds: event.interaction.watchSeconds,
                profile: snapshot.users.profile(of: event.user).map { Array($0.prefix(fields)) }
                    ?? Array(repeating: 0, count: fields), version: snapshot.version)
        }
        for outbox in outboxes { outbox.add(told) }
    }
}

/// What waits to be told to one ranker.
private final class StatisticsOutbox: Sendable {
    private struct State {
        var waiting: [LiveEvent] = []
        var sequence: UInt64 = 0
        var isScheduled = false
    }

    /// Events that wait, at most.
    private static let waitingMax = 10 * RequestLimits.statisticsMax
    private static let timeout: Duration = .seconds(2)

    private let ranker: ShardClient
    private let interval: Duration
    private let logger: Logger
    private let source = UInt64.random(in: 1 ... .max)
    private let state = Mutex(State())

    init(ranker: ShardClient, interval: Duration, logger: Logger) {
        self.ranker = ranker
        self.interval = interval
        self.logger = logger
    }

    func add(_ events: [LiveEvent]) {
        let isFirst = state.withLock { state in
            state.waiting += events
            state.waiting.removeFirst(max(state.waiting.count - Self.waitingMax, 0))
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { Task { await run() } }
    }

    /// Tells until nothing waits.
    private func run() async {
        while true {
            try? await Task.sleep(for: interval)
            let batch = state.withLock { state -> (events: [LiveEvent], sequence: UInt64)? in
                guard let version = state.waiting.first?.version else {
                    state.isScheduled = false
                    return nil
                }
                // A message has the numbers of one snapshot.
                let events = state.waiting.prefix(RequestLimits.statisticsMax).prefix { $0.version == version }
                state.waiting.removeFirst(events.count)
                state.sequence += 1
                return (Array(events), state.sequence)
            }
            guard let batch else { return }
            await tell(PushStatisticsRequest(batch.events, source: source, sequence: batch.sequence))
        }
    }

    /// Tells one message, until the ranker has it or too much waits behind it.
    private func tell(_ request: PushStatisticsRequest) async {
        while true {
            do {
                _ = try await ranker.client.unary(
                    RankingMethods.pushStatistics, request, options: CallOptions(timeout: Self.timeout))
                return
            } catch {
                let isFull = state.withLock { $0.waiting.count >= Self.waitingMax }
                logger.debug(
                    "statistics not told", metadata: ["ranker": "\(ranker.address)", "error": "\(error.message)"])
                // What cannot be meant will not be meant later; the oldest makes room for the newest.
                if [.invalidArgument, .unimplemented].contains(error.code) || isFull { return }
                try? await Task.sleep(for: max(interval, .milliseconds(100)))
            }
        }
    }
}
