import FeatureStore
import Messages
import Orchestration
import RPC
import Recall
import Testing

@Suite struct CacheChannelTests {
    private func cluster() -> SmallCluster {
        SmallCluster {
            $0.channels = [
                ChannelRequest(channel: ChannelName.popular, limit: 6),
                ChannelRequest(channel: ChannelName.cache, limit: 50),
            ]
        }
    }

    /// Popular gives the six highest unseen, the page has three: the others are kept.
    @Test func whatWasNotShownIsOfferedNextTime() async throws {
        let cluster = cluster()
        let first = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(first.items.map(\.itemID) == ["20", "19", "18"])
        #expect(first.items.allSatisfy { $0.channels == ["popular"] })
        let second = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(second.items.map(\.itemID) == ["17", "16", "15"])
        #expect(second.items.allSatisfy { $0.channels == ["popular", "cache"] })
        #expect(second.completeness?.missingChannels == [])
        // Kept now: 14, 13, 12.
        let request = ExplainRequest(request: RecommendRequest(userID: "7", pageSize: 20))
        let explained = try await cluster.client.unary(RecommenderMethods.explain, request)
        let cached = explained.items.filter { $0.channels.contains { $0.channel == "cache" } }.map(\.itemID)
        #expect(cached == ["14", "13", "12"])
        // The ranker's score is a tenth of the key.
        #expect(explained.items.first?.channels.last == ChannelScore(channel: "cache", score: 1.4, position: 1))
    }

    @Test func explainingDoesNotCountAsAnOffer() async throws {
        let cluster = cluster()
        _ = try await cluster.recommend(RecommendRequest(userID: "7"))
        let request = ExplainRequest(request: RecommendRequest(userID: "7"))
        for _ in 0..<12 {
            let explained = try await cluster.client.unary(RecommenderMethods.explain, request)
            #expect(explained.page?.items.first?.channels == ["popular", "cache"])
        }
    }

    @Test func whatTheCallerExcludesIsNotOffered() async throws {
        let cluster = cluster()
        _ = try await cluster.recommend(RecommendRequest(userID: "7"))
        let page = try await cluster.recommend(RecommendRequest(userID: "7", excludeItemIDs: ["17"]))
        #expect(page.items.map(\.itemID) == ["16", "15", "14"])
    }

    @Test func strangersHaveNone() async throws {
        let cluster = cluster()
        for _ in 0..<2 {
            let page = try await cluster.recommend(RecommendRequest(userID: "stranger"))
            #expect(page.items.allSatisfy { $0.channels == ["popular"] })
        }
    }
}
