import Kernels
import Messages
import RPC
import Synchronization

/// Sends requests at the orchestrator and records how they end.
final class LoadRunner: Sendable {
    struct Plan: Sendable {
        enum Pace: Sendable {
            case open(law: ArrivalSchedule.Law, rate: Double)
            case closed(concurrency: Int)
        }

        var pace: Pace
        var duration: Duration
        var warmUp: Duration
        var timeout: Duration
        var pageSize: Int
        /// Share of pages on which one item is clicked, and the click reported.
        var clickRatio: Double
        /// Share of requests made through Explain, whose answer tells the version of every stage.
        var explainRatio: Double
        var zipfExponent: Double
        var seed: UInt64
    }

    /// Requests without an answer at a time: beyond it the cluster is so far behind that more tell nothing new, and
    /// arrivals fail as RESOURCE_EXHAUSTED of the load driver.
    static let inFlightMax = 20_000

    private let client: Client
    private let plan: Plan
    private let users: [String]
    private let law: ZipfLaw
    private let inFlight = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    private let draws: Mutex<SeededGenerator>
    private let recorder = LoadRecorder()
    private let start: ContinuousClock.Instant

    /// The run starts now.
    init(client: Client, plan: Plan, users: [String]) {
        self.client = client
        self.plan = plan
        self.users = users
        law = ZipfLaw(count: users.count, exponent: plan.zipfExponent)
        draws = Mutex(SeededGenerator(seed: plan.seed, stream: 2))
        start = .now
    }

    private var measuredFrom: ContinuousClock.Instant { start + plan.warmUp }
    private var end: ContinuousClock.Instant { measuredFrom + plan.duration }

    /// Ends the run early; what is in flight is still waited for.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
    }

    private func hasEnded(_ now: ContinuousClock.Instant) -> Bool {
        now >= end || isStopped.load(ordering: .relaxed)
    }

    /// Runs the plan to its end, and waits for the last answers.
    ///
    /// - Parameter live: called after each measured second.
    func run(live: @escaping @Sendable (LoadWindow) -> Void) async -> LoadRecorder {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.closeWindows(live) }
            switch plan.pace {
            case .open(let law, let rate):
                group.addTask { await self.runOpen(ArrivalSchedule(law: law, rate: rate, seed: self.plan.seed)) }
            case .closed(let concurrency):
                for _ in 0..<concurrency { group.addTask { await self.runClosed() } }
            }
        }
        return recorder
    }

    private func runOpen(_ schedule: ArrivalSchedule) async {
        var schedule = schedule
        await withDiscardingTaskGroup { group in
            while true {
                let intended = start + .seconds(schedule.next())
                if intended > .now { try? await Task.sleep(until: min(intended, end), clock: .continuous) }
                guard !hasEnded(intended) else { return }
                guard inFlight.load(ordering: .relaxed) < Self.inFlightMax else {
                    record(LoadRecorder.Outcome(latency: .zero, error: "DRIVER_OVERLOADED"), intended: intended)
                    continue
                }
                group.addTask { await self.request(intended: intended) }
            }
        }
    }

    private func runClosed() async {
        while !hasEnded(.now) { await request(intended: .now) }
    }

    private func closeWindows(_ live: @Sendable (LoadWindow) -> Void) async {
        var next = measuredFrom + .seconds(1)
        while next <= end, !isStopped.load(ordering: .relaxed) {
            try? await Task.sleep(until: next, clock: .continuous)
            live(recorder.closeWindow(inFlight: inFlight.load(ordering: .relaxed)))
            next += .seconds(1)
        }
    }

    private func request(intended: ContinuousClock.Instant) async {
        inFlight.wrappingAdd(1, ordering: .relaxed)
        defer { inFlight.wrappingSubtract(1, ordering: .relaxed) }
        let (user, explains, clicks) = draws.withLock { generator in
            (
                users[law.draw(&generator)], generator.uniformDouble() < plan.explainRatio,
                generator.uniformDouble() < plan.clickRatio
            )
        }
        let request = RecommendRequest(userID: user, pageSize: UInt32(plan.pageSize))
        do throws(RPCError) {
            let (page, agree) = try await explains ? explain(request) : (recommend(request), nil)
            var outcome = LoadRecorder.Outcome(latency: .now - intended)
            outcome.version = page.snapshotVersion
            outcome.isPartial = page.isPartial
            outcome.isUnranked = page.completeness?.order == .recalled
            outcome.isShort = page.items.count < plan.pageSize
            outcome.versionsAgree = agree
            record(outcome, intended: intended)
            if clicks, let item = page.items.first { await click(item.itemID, user, page.requestID, intended) }
        } catch {
            record(LoadRecorder.Outcome(latency: .now - intended, error: "\(error.code)"), intended: intended)
        }
    }

    private func recommend(_ request: RecommendRequest) async throws(RPCError) -> RecommendResponse {
        try await client.unary(
            RecommenderMethods.recommend, request, options: CallOptions(timeout: plan.timeout))
    }

    private func explain(_ request: RecommendRequest) async throws(RPCError) -> (RecommendResponse, Bool?) {
        let answer = try await client.unary(
            RecommenderMethods.explain, ExplainRequest(request: request), options: CallOptions(timeout: plan.timeout))
        guard let page = answer.page else { throw RPCError(.internal, "the explanation has no page") }
        return (
            page, answer.stages.allSatisfy { $0.snapshotVersion == page.snapshotVersion || $0.snapshotVersion.isEmpty }
        )
    }

    private func click(
        _ item: String, _ user: String, _ requestID: String, _ intended: ContinuousClock.Instant
    ) async {
        let event = Messages.Event(
            eventID: "\(requestID)-click", userID: user, itemID: item, kind: .click, requestID: requestID)
        let answer = try? await client.unary(
            RecommenderMethods.recordEvents, RecordEventsRequest(events: [event]),
            options: CallOptions(timeout: plan.timeout))
        if intended >= measuredFrom { recorder.recordEvent(accepted: answer?.accepted == 1) }
    }

    private func record(_ outcome: LoadRecorder.Outcome, intended: ContinuousClock.Instant) {
        if intended >= measuredFrom { recorder.record(outcome) }
    }
}

extension RecommendResponse {
    /// Some shard did not answer, or some channel could not run.
    fileprivate var isPartial: Bool {
        guard let completeness else { return false }
        return completeness.shardsAnswered < completeness.shardsAsked || !completeness.missingChannels.isEmpty
    }
}
