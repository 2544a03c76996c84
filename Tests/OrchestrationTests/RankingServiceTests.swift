import Kernels
import Messages
import Orchestration
import RPC
import Ranking
import Testing

@Suite struct RankingServiceTests {
    private let client = InProcessTransport(services: [
        RankingService(
            snapshots: SnapshotAccess<Ranker>(current: { nil }, find: { _ in nil }, loadedVersions: { ["v1", "v2"] }),
            feed: StatisticsFeed())
    ]).makeClient()

    @Test(arguments: [
        (RankRequest(), "user: expected the user's state, found none"),
        (
            RankRequest(user: UserState(recentItems: [1])),
            "user: expected the arrays of recent items to be parallel"
        ),
        (
            RankRequest(user: UserState(), channels: [String](repeating: "c", count: 65)),
            "channels: expected at most 64, found 65"
        ),
        (
            RankRequest(user: UserState(), scene: Scene(contexts: SharedBuffer([UInt32](repeating: 0, count: 65)))),
            "scene.contexts: expected at most 64, found 65"
        ),
        (
            RankRequest(user: UserState(), items: [1, 2], channels: ["c"], foundBy: [1]),
            "found_by: expected 2, one per item, found 1"
        ),
        (
            RankRequest(user: UserState(), items: [1, 2], channels: ["c"], foundBy: [1, 2]),
            "found_by: expected bits of 1 channels, found 10"
        ),
    ])
    func badRequestsAreRefused(request: RankRequest, message: String) async throws {
        let error = await #expect(throws: RPCError.self) { try await client.unary(RankingMethods.rank, request) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == message)
    }

    @Test func aVersionThatIsNotLoadedIsRefused() async throws {
        let request = RankRequest(
            snapshotVersion: "v3", user: UserState(), items: [1], channels: ["c"], foundBy: [1])
        let error = await #expect(throws: RPCError.self) { try await client.unary(RankingMethods.rank, request) }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message == "snapshot 'v3' is not loaded (loaded: v1, v2)")
    }

    private static let now: Int64 = 1_000_000

    @Test(arguments: [
        (PushStatisticsRequest(items: [1], timesMilliseconds: []), "times_ms: expected 1, one per item, found 0"),
        (push(profiles: [1, 2, 3]), "profiles: expected the same number for each of 2 items"),
        (push(watch: [.nan, 0]), "watch_seconds: expected 0 to"),
        (push(times: [5, 2_000_000]), "times_ms: expected milliseconds since 1970 up to now (1000000), found 2000000"),
        (push(times: [0, 5]), "found 0"),
        (push(version: String(repeating: "v", count: 129)), "snapshot_version: expected at most 128 bytes, found 129"),
        (push(profiles: [UInt32](repeating: 1, count: 130)), "at most 64, found 130 in all"),
    ])
    func badStatisticsAreRefused(request: PushStatisticsRequest, message: String) async throws {
        let feed = StatisticsFeed()
        let client = InProcessTransport(services: [
            RankingService(
                snapshots: SnapshotAccess<Ranker>(current: { nil }, find: { _ in nil }, loadedVersions: { [] }),
                feed: feed, now: { Self.now })
        ]).makeClient()
        let error = await #expect(throws: RPCError.self) {
            try await client.unary(RankingMethods.pushStatistics, request)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(feed.count == 0)
        #expect(try await client.unary(RankingMethods.pushStatistics, Self.push()).counted)
        #expect(feed.count == 2)
    }

    private static func push(
        times: [Int64] = [5, 6], watch: [Float] = [0, 1], profiles: [UInt32] = [], version: String = "v1"
    ) -> PushStatisticsRequest {
        PushStatisticsRequest(
            source: 1, sequence: 1, snapshotVersion: version, items: [1, 2],
            timesMilliseconds: SharedBuffer(times), actions: [1, 2], watchSeconds: SharedBuffer(watch),
            surfaces: [0, 0], profiles: SharedBuffer(profiles))
    }
}
