import Messages
import Orchestration
import RPC
import Testing

@Suite struct PartialAnswerTests {
    /// Items 1...20 that shard 0 of 2 owns, highest first: SplitMix64's finaliser of the key modulo 2, by Python.
    private static let shardZero = ["20", "19", "18", "14", "10", "9", "8", "6", "5", "4", "2"]

    @Test func aLostShardLeavesAPartialAnswer() async throws {
        let cluster = SmallCluster(shards: [.answering, .lost])
        let page = try await cluster.recommend(RecommendRequest(userID: "stranger", pageSize: 5))
        let completeness = try #require(page.completeness)
        #expect(completeness.shardsAsked == 2)
        #expect(completeness.shardsAnswered == 1)
        #expect(completeness.missingChannels == ["popular"])
        #expect(completeness.reasons == ["recall shard 1 (shard-1): UNAVAILABLE: unplugged"])
        #expect(page.items.map(\.itemID) == Array(Self.shardZero.prefix(5)))
    }

    @Test func aShardThatHangsIsLeftBehind() async throws {
        let cluster = SmallCluster(shards: [.answering, .hanging]) { $0.recallTimeout = .milliseconds(50) }
        let page = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(page.completeness?.shardsAnswered == 1)
        #expect(page.completeness?.reasons.first?.hasPrefix("recall shard 1 (shard-1): DEADLINE_EXCEEDED") == true)
        #expect(page.completeness?.order == .ranked)
        #expect(page.items.count == 3)
    }

    @Test func theCallersDeadlineCutsTheStages() async throws {
        let cluster = SmallCluster(shards: [.answering, .hanging])
        let page = try await cluster.client.unary(
            RecommenderMethods.recommend, RecommendRequest(userID: "7"), options: CallOptions(timeout: .seconds(2)))
        #expect(page.completeness?.shardsAnswered == 1)
        #expect(page.items.count == 3)
    }

    @Test func noShardIsAnError() async throws {
        let cluster = SmallCluster(shards: [.lost, .lost])
        let error = await #expect(throws: RPCError.self) { try await cluster.recommend(RecommendRequest(userID: "7")) }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "none of 2 recall shards answered: unplugged")
    }

    @Test func anAnswerOfAnotherSnapshotIsRefused() async throws {
        let cluster = SmallCluster(shards: [.answering, .otherVersion("v2")])
        let page = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(page.completeness?.shardsAnswered == 1)
        #expect(
            page.completeness?.reasons
                == ["recall shard 1 (shard-1): FAILED_PRECONDITION: answered from snapshot 'v2', expected 'v1'"])
    }

    @Test func aChannelThatAShardLacksIsStated() async throws {
        let cluster = SmallCluster(shards: [.answering, .withoutChannel("itemcf")])
        let page = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(page.completeness?.shardsAnswered == 2)
        #expect(page.completeness?.missingChannels == ["itemcf"])
        #expect(page.completeness?.reasons.count == 1)
        #expect(page.items.count == 3)
    }

    @Test(arguments: [
        (
            SmallCluster.Ranker.lost, "no ranker answered (ranker-0): UNAVAILABLE: unplugged"
        ),
        (
            SmallCluster.Ranker.otherVersion("v2"),
            "no ranker answered (ranker-0): FAILED_PRECONDITION: answered from snapshot 'v2', expected 'v1'"
        ),
    ])
    func withoutARankerThePageIsInRecallOrder(ranker: SmallCluster.Ranker, reason: String) async throws {
        let cluster = SmallCluster(ranker: ranker)
        let page = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(page.completeness?.order == .recalled)
        #expect(page.completeness?.reasons == [reason])
        // Reciprocal rank fusion: 5 (itemcf, first) and 20 (popular, first) tie at 1/61, 19 follows with 1/62.
        #expect(page.items.map(\.itemID) == ["5", "20", "19"])
        let scores: [Float] = [1 / 61, 1 / 61, 1 / 62]
        #expect(page.items.map(\.score) == scores)
    }

    @Test func aSnapshotWithoutARankingModelIsStated() async throws {
        let page = try await SmallCluster(ranker: .preRanking).recommend(RecommendRequest(userID: "7"))
        #expect(page.completeness?.order == .preRanked)
        #expect(
            page.completeness?.reasons == ["the snapshot has no ranking model: the order is the pre-ranker's"])
        #expect(page.items.map(\.itemID) == ["20", "19", "18"])
    }

    /// The ranker is told that the page needs its items twice over.
    @Test func aRankerWithoutTimeIsStated() async throws {
        let page = try await SmallCluster(ranker: .pressed).recommend(RecommendRequest(userID: "7", pageSize: 2))
        #expect(page.completeness?.order == .ranked)
        #expect(page.completeness?.reasons == ["ranker (ranker-0): ranked 3 of 9: 4 were needed"])
    }
}
