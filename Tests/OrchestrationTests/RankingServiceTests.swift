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
}
