import Blobs
import Catalog
import FeatureStore
import Foundation
import Kernels
import Logging
import Messages
import Orchestration
import RPC
import Recall
import Synchronization
import Testing

/// Twenty items "1"..."20", two recall shards, one ranker and one orchestrator in one process, joined by the in-process
/// transport. Channels: "popular" lists the items by falling key, "itemcf" answers key + 1 for every trigger.
struct SmallCluster {
    enum Shard {
        case answering
        case lost
        /// Never answers.
        case hanging
        /// Answers from this version.
        case otherVersion(String)
        case withoutChannel(String)
    }

    enum Ranker {
        /// Highest key first; click probability key / 100, score key / 10, watch time key. Items that it is told nothing of and
        /// the snapshot does not have are left out.
        case byKey
        /// The same, of a snapshot without a ranking model.
        case preRanking
        /// The same, of the first three candidates.
        case pressed
        case lost
        case otherVersion(String)
    }

    static let version = "v1"
    /// The training log ends before every request and event of the tests.
    static let dataUntil: Int64 = 1_000
    static let now: Int64 = 1_000_000

    let client: Client
    /// Straight to shard 0.
    let shard: Client
    /// What the ranker was told of.
    let pushed = PushedStatistics()
    /// Scenes of the requests that the ranker was sent.
    let ranked = RankedScenes()

    init(
        shards: [Shard] = [.answering, .answering], ranker: Ranker = .byKey,
        users: InMemoryUserStateStore = InMemoryUserStateStore(), rejected: RejectedLog? = nil,
        hasSnapshot: Bool = true, secondReplica: Shard? = nil,
        configure: (inout OrchestratorConfiguration) -> Void = { _ in },
        now: @escaping @Sendable () -> Int64 = { Self.now }
    ) {
        var configuration = OrchestratorConfiguration()
        configuration.pageSize = 3
        configuration.channels = [
            ChannelRequest(channel: ChannelName.itemCF, limit: 10),
            ChannelRequest(channel: ChannelName.popular, limit: 8),
        ]
        configuration.requestTimeout = .seconds(20)
        configuration.recallTimeout = .seconds(10)
        configuration.rankTimeout = .seconds(10)
        configure(&configuration)
        let count = shards.count
        let clients = shards.enumerated().map { index, kind in
            Self.connect(TestShard(kind: kind, index: index, count: count), "shard-\(index)")
        }
        let replicas = clients.enumerated().map { index, client in
            [client]
                + (secondReplica.map {
                    [Self.connect(TestShard(kind: $0, index: index, count: count), "second-\(index)")]
                }
                    ?? [])
        }
        shard = clients[0].client
        let service = RecommenderService(
            configuration: configuration,
            shards: clients, replicas: replicas,
            ranker: Self.connect(TestRanker(kind: ranker, pushed: pushed, ranked: ranked), "ranker-0"), users: users,
            rejected: rejected,
            snapshots: Self.access(hasSnapshot ? Self.snapshot : nil), now: now,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        client = InProcessTransport(services: [service]).makeClient()
    }

    func recommend(_ request: RecommendRequest) async throws -> RecommendResponse {
        try await client.unary(RecommenderMethods.recommend, request)
    }

    func record(_ events: Event...) async throws -> RecordEventsResponse {
        try await client.unary(RecommenderMethods.recordEvents, RecordEventsRequest(events: events))
    }

    private static func connect(_ service: some RPCService, _ address: String) -> ShardClient {
        ShardClient(client: InProcessTransport(services: [service]).makeClient(), address: address)
    }

    static func access<Value: Sendable>(_ value: Value?) -> SnapshotAccess<Value> {
        let lease = value.map { SnapshotAccess<Value>.Lease(version: version, value: $0) }
        return SnapshotAccess(
            current: { lease }, find: { $0 == lease?.version ? lease : nil },
            loadedVersions: { lease.map { [$0.version] } ?? [] })
    }

    /// User "7" clicked item 4; nobody else is known.
    static let snapshot: FunnelSnapshot = {
        let keys = (1...20).map { ItemKey(rawValue: $0) }
        let items = ItemTable(
            keys: SharedBuffer(keys), publicIDs: StringTable(keys.map { "\($0.rawValue)" }),
            titles: StringTable(keys.map { "Item \($0.rawValue)" }),
            categories: SharedBuffer(keys.map { UInt32($0.rawValue % 2) + 1 }),
            categoryNames: StringTable(["", "even", "odd"]), authors: SharedBuffer(keys.map { _ in 0 }),
            publishTimes: SharedBuffer(keys.map { _ in 0 }), durations: SharedBuffer(keys.map { _ in 0 }))
        let click = Interaction(item: ItemKey(rawValue: 4), timeMilliseconds: 500, actions: [.impression, .click])
        let state = Catalog.UserState(user: UserKey(rawValue: 7), isKnown: true, profile: [], recent: [click])
        return FunnelSnapshot(
            version: version, dataUntil: dataUntil, items: items, surfaceNames: StringTable(["", "home"]),
            contexts: [
                CategoricalField(name: "device", vocabulary: StringTable(["", "phone", "tv"]), values: []),
                CategoricalField(name: "geohash", vocabulary: StringTable(["", "u4xsu"]), values: []),
            ], users: UserStateTable([state], fieldNames: []))
    }()
}

/// Waits until something holds.
func eventually(_ isTrue: () -> Bool) async throws {
    for _ in 0..<1_000 {
        if isTrue() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within ten seconds")
}

/// A shard with hand-made channels over its own part of the twenty items.
private struct TestShard: RPCService {
    static let serviceName = RecallMethods.service
    let kind: SmallCluster.Shard
    let index: Int
    let count: Int

    func register(in router: inout Router) {
        let own = (1...20).map { ItemKey(rawValue: $0) }.filter { $0.shard(of: count) == index }
        var channels: [String: any RecallChannel] = [
            ChannelName.itemCF: NextItem(own: Set(own)),
            ChannelName.newest: LiveChannels.newest, ChannelName.newItem: LiveChannels.newItem,
            ChannelName.popular: Falling(items: own.sorted(by: >)),
        ]
        if case .withoutChannel(let name) = kind { channels[name] = nil }
        let live = LiveItems()
        let engine = RecallShardEngine(shard: index, of: count, channels: channels, live: live)
        switch kind {
        case .answering, .withoutChannel:
            RecallShardService(shard: index, of: count, snapshots: SmallCluster.access(engine), live: live)
                .register(in: &router)
        case .lost:
            router.unary(RecallMethods.recall) { _, _ throws(RPCError) in throw RPCError(.unavailable, "unplugged") }
        case .hanging:
            router.unary(RecallMethods.recall) { _, _ throws(RPCError) in
                do { try await Task.sleep(for: .seconds(3600)) } catch {}
                throw RPCError(.cancelled, "nobody waits")
            }
        case .otherVersion(let version):
            let (shard, shards) = (UInt32(index), UInt32(count))
            router.unary(RecallMethods.recall) { _, _ throws(RPCError) in
                RecallResponse(snapshotVersion: version, shard: shard, shardCount: shards)
            }
        }
    }
}

private struct TestRanker: RPCService {
    static let serviceName = RankingMethods.service
    let kind: SmallCluster.Ranker
    let pushed: PushedStatistics
    let ranked: RankedScenes

    func register(in router: inout Router) {
        router.unary(RankingMethods.pushStatistics) { [pushed] request, _ throws(RPCError) in
            try pushed.take(request)
        }
        router.unary(RankingMethods.rank) { [kind, ranked] request, _ throws(RPCError) in
            ranked.add(request.scene)
            if case .lost = kind { throw RPCError(.unavailable, "unplugged") }
            let live = Set(request.liveItems.map { ItemKey(publicID: $0.itemID).rawValue })
            var items = request.items.filter { $0 <= 20 || live.contains($0) }.sorted(by: >)
            var version = request.snapshotVersion
            if case .otherVersion(let other) = kind { version = other }
            var response = RankResponse(
                heads: ["click", "watch_time"], preRanked: UInt32(items.count), kept: UInt32(items.count),
                keptByChannel: SharedBuffer(
                    request.channels.indices.map { channel in
                        UInt32(request.foundBy.count { $0 & (1 << UInt64(channel)) != 0 })
                    }), ranked: true)
            if case .preRanking = kind { response.ranked = false }
            items = Array(items.prefix(Int(request.limit)))
            if case .pressed = kind {
                items = Array(items.prefix(3))
                response.shortage = "ranked 3 of \(request.items.count): \(request.least) were needed"
            }
            response.snapshotVersion = version
            response.items = SharedBuffer(items)
            response.scores = SharedBuffer(items.map { Float($0) / 10 })
            response.predictions = SharedBuffer(items.flatMap { [Float($0) / 100, Float($0)] })
            response.preRankScores = SharedBuffer(items.map { Float($0) / 20 })
            response.preRankPositions = SharedBuffer(items.map { UInt32(clamping: 21 - Int64(truncatingIfNeeded: $0)) })
            if request.explain {
                response.terms = ["click"]
                response.termValues = SharedBuffer(items.map { Float($0) / 100 })
                response.termContributions = response.scores
            }
            return response
        }
    }
}

/// Scenes of ranking requests, in order.
final class RankedScenes: Sendable {
    private let scenes = Mutex<[Messages.Scene?]>([])

    var all: [Messages.Scene?] { scenes.withLock { $0 } }

    func add(_ scene: Messages.Scene?) { scenes.withLock { $0.append(scene) } }
}

/// What a ranker was told of. The first message does not arrive.
final class PushedStatistics: Sendable {
    private let state = Mutex((calls: 0, messages: [PushStatisticsRequest]()))

    var messages: [PushStatisticsRequest] { state.withLock { $0.messages } }

    func take(_ message: PushStatisticsRequest) throws(RPCError) -> PushStatisticsResponse {
        let isFirst = state.withLock { state in
            state.calls += 1
            if state.calls > 1 { state.messages.append(message) }
            return state.calls == 1
        }
        if isFirst { throw RPCError(.unavailable, "unplugged for a moment") }
        return PushStatisticsResponse(counted: true)
    }
}

/// Channels of lists that are empty but for live items.
private enum LiveChannels {
    static let newest = channel(["until_ms": "1000"]) { try NewestChannel(component: $0) }
    static let newItem = channel([:]) { try NewItemChannel(component: $0) }

    private static func channel(
        _ metadata: [String: String], _ make: (SafetensorsFile) throws -> any RecallChannel
    ) -> any RecallChannel {
        let path = FileManager.default.temporaryDirectory.appending(path: "list-\(UUID()).safetensors").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        var writer = SafetensorsWriter(metadata: metadata)
        writer.add("item_key", [] as [UInt64])
        writer.add("score", [] as [Float])
        do {
            try writer.write(to: path)
            return try make(SafetensorsFile(path: path))
        } catch {
            preconditionFailure("an empty list is written and read: \(error)")
        }
    }
}

private struct NextItem: RecallChannel {
    let own: Set<ItemKey>

    func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        let found = query.triggers.map { ItemKey(rawValue: $0.rawValue + 1) }
            .filter { own.contains($0) && !scratch.excludes($0) }
        let items = Set(found).sorted().prefix(limit)
        return Candidates(items: SharedBuffer(items), scores: SharedBuffer(items.map { _ in 0.5 }))
    }
}

private struct Falling: RecallChannel {
    let items: [ItemKey]

    func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        let found = items.filter { !scratch.excludes($0) }.prefix(limit)
        return Candidates(items: SharedBuffer(found), scores: SharedBuffer(found.map { Float($0.rawValue) }))
    }
}
