import Catalog
public import FeatureStore
import Kernels
public import Logging
import Messages
public import RPC
import Recall

/// `tributary.v1.Recommender`, the public API.
public struct RecommenderService: RPCService {
    public static let serviceName = RecommenderMethods.service

    private let configuration: OrchestratorConfiguration
    private let funnel: Funnel
    private let users: any UserStateStore
    private let snapshots: SnapshotAccess<FunnelSnapshot>
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let intake: ItemIntake
    private let impressions: ImpressionReporter
    private let statistics: StatisticsReporter
    private let rejected: RejectedLog?

    /// - Parameters:
    ///   - shards: one client per recall shard, in their order.
    ///   - replicas: by shard, a client of each replica alone: what changes a shard goes to all of them. Nil: shards have
    ///     one replica each.
    ///   - ranker: a client over all rankers, and their addresses for messages.
    ///   - rankers: a client of each ranker alone: what happens is told to all of them. Nil: there is one.
    ///   - rejected: is told of candidates that ranking rejected; nil: they are not logged.
    ///   - snapshots: requests run on the current one.
    ///   - now: milliseconds since 1970.
    public init(
        configuration: OrchestratorConfiguration, shards: [ShardClient], replicas: [[ShardClient]]? = nil,
        ranker: ShardClient, rankers: [ShardClient]? = nil, users: any UserStateStore, rejected: RejectedLog? = nil,
        snapshots: SnapshotAccess<FunnelSnapshot>,
        now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.configuration = configuration
        self.users = users
        self.rejected = rejected
        self.snapshots = snapshots
        self.now = now
        self.logger = logger
        let replicas = replicas ?? shards.map { [$0] }
        intake = ItemIntake(replicas: replicas)
        impressions = ImpressionReporter(
            replicas: replicas, interval: configuration.impressionReportInterval, logger: logger)
        statistics = StatisticsReporter(
            rankers: rankers ?? [ranker], interval: configuration.statisticsInterval, logger: logger)
        funnel = Funnel(
            configuration: configuration, recall: RecallStage(shards: shards),
            rank: RankStage(client: ranker.client, address: ranker.address), users: users)
    }

    public func register(in router: inout Router) {
        router.unary(RecommenderMethods.recommend) { [self] request, context throws(RPCError) in
            try await recommend(request, context)
        }
        router.unary(RecommenderMethods.explain) { [self] request, context throws(RPCError) in
            try await explain(request, context)
        }
        router.unary(RecommenderMethods.recordEvents) { [self] request, _ throws(RPCError) in
            try await recordEvents(request)
        }
        router.unary(RecommenderMethods.upsertItems) { [self] request, context throws(RPCError) in
            try await upsert(request, context)
        }
    }

    private func recommend(
        _ request: RecommendRequest, _ context: CallContext
    ) async throws(RPCError) -> RecommendResponse {
        let query = try RecommendQuery(request, configuration: configuration)
        var outcome = try await run(query, context)
        try await show(&outcome, query)
        impressions.add(outcome.page.map(\.item))
        if let rejected {
            let time = now()
            rejected.add(
                outcome.rejected(rejected.perPage, seed: query.user.rawValue ^ UInt64(bitPattern: time)),
                user: request.userID, time: time)
        }
        return RecommendResponse(outcome, requestID: query.requestID)
    }

    /// Records the page as shown. What another page of the user showed while this one was made is replaced.
    private func show(_ outcome: inout Funnel.Outcome, _ query: RecommendQuery) async throws(RPCError) {
        let cached = outcome.channels.first { $0.channel == ChannelName.cache }?.candidates.items ?? []
        var repeated = try await record(
            ShownPage(
                items: outcome.page.map(\.item), place: query.place, offered: Array(cached), kept: outcome.kept),
            to: query.user)
        while !repeated.isEmpty {
            let next = outcome.replace(repeated)
            repeated = next.isEmpty ? [] : try await record(ShownPage(items: next), to: query.user)
        }
    }

    private func explain(
        _ request: ExplainRequest, _ context: CallContext
    ) async throws(RPCError) -> ExplainResponse {
        guard let wanted = request.request else {
            throw RPCError(.invalidArgument, "request: expected the request to explain, found none")
        }
        let query = try RecommendQuery(wanted, configuration: configuration)
        return ExplainResponse(try await run(query, context, explains: true), requestID: query.requestID)
    }

    private func run(
        _ query: RecommendQuery, _ context: CallContext, explains: Bool = false
    ) async throws(RPCError) -> Funnel.Outcome {
        // Read once, and held to the end: every stage of the request runs on this version, and it stays loaded.
        guard let lease = snapshots.current() else {
            throw RPCError(.unavailable, "no snapshot is loaded yet")
        }
        defer { extendLifetime(lease) }
        let outcome = try await funnel.run(
            query, on: lease.value, deadline: context.deadline, now: now(), explains: explains)
        logger.debug(
            "recommended",
            metadata: [
                "request": "\(query.requestID)", "snapshot": "\(lease.version)",
                "items": "\(outcome.page.count)",
                "shards": "\(outcome.notes.shardsAnswered)/\(outcome.notes.shardsAsked)",
            ])
        return outcome
    }

    private func record(_ page: ShownPage, to user: UserKey) async throws(RPCError) -> Set<ItemKey> {
        do {
            return try await users.record(page, to: user, now: now())
        } catch {
            throw RPCError(.unavailable, "the page cannot be recorded as shown: \(error)", cause: error)
        }
    }

    private func upsert(
        _ request: UpsertItemsRequest, _ context: CallContext
    ) async throws(RPCError) -> UpsertItemsResponse {
        guard let lease = snapshots.current() else {
            throw RPCError(.unavailable, "no snapshot is loaded yet")
        }
        defer { extendLifetime(lease) }
        return try await intake.take(request, on: lease.value, deadline: context.deadline, now: now())
    }

    private func recordEvents(_ request: RecordEventsRequest) async throws(RPCError) -> RecordEventsResponse {
        guard request.events.count <= RequestLimits.eventsMax else {
            throw RPCError(
                .invalidArgument,
                "events: expected at most \(RequestLimits.eventsMax), found \(request.events.count)")
        }
        let time = now()
        var response = RecordEventsResponse()
        var valid: [(index: Int, event: UserEvent)] = []
        for (index, event) in request.events.enumerated() {
            do throws(RPCError) {
                valid.append((index, try UserEvent(event, now: time)))
            } catch {
                response.rejected.append(RejectedEvent(index: UInt32(index), reason: error.message))
            }
        }
        var accepted: [UserEvent] = []
        for (entry, outcome) in zip(valid, try await record(valid.map(\.event), time)) {
            switch outcome {
            case .accepted:
                response.accepted += 1
                accepted.append(entry.event)
            case .duplicate: response.duplicates += 1
            case .rejected(let reason):
                response.rejected.append(RejectedEvent(index: UInt32(entry.index), reason: reason))
            }
        }
        response.rejected.sort { $0.index < $1.index }
        if let lease = snapshots.current() { statistics.add(accepted, on: lease.value) }
        return response
    }

    private func record(_ events: [UserEvent], _ time: Int64) async throws(RPCError) -> [RecordOutcome] {
        do {
            return try await users.record(events, now: time)
        } catch {
            throw RPCError(.unavailable, "the events cannot be recorded: \(error)", cause: error)
        }
    }
}
