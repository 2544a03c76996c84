import FeatureStore
import Kernels
import Messages
import Orchestration
import RPC
import Recall
import Testing

@Suite struct UpsertItemsTests {
    private func cluster(
        _ shards: [SmallCluster.Shard] = [.answering, .answering], channels: [String] = [ChannelName.newest],
        configure: @escaping (inout OrchestratorConfiguration) -> Void = { _ in }
    ) -> SmallCluster {
        SmallCluster(shards: shards) {
            $0.channels += channels.map { ChannelRequest(channel: $0, limit: 10) }
            configure(&$0)
        }
    }

    private func upsert(_ cluster: SmallCluster, _ items: Item...) async throws -> UpsertItemsResponse {
        try await cluster.client.unary(RecommenderMethods.upsertItems, UpsertItemsRequest(items: items))
    }

    @Test func anAddedItemIsRecommendedAtOnce() async throws {
        let cluster = cluster()
        let added = try await upsert(
            cluster, Item(itemID: "21", title: "Fresh", category: "brand new", authorID: "me"), Item(itemID: "22"))
        #expect(added == UpsertItemsResponse(accepted: 2))
        let page = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(page.items.map(\.itemID) == ["22", "21", "20"])
        #expect(page.items[1].title == "Fresh" && page.items[1].category == "brand new")
        #expect(page.items[1].channels == ["newest"])
        let next = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(next.items.map(\.itemID) == ["19", "18", "17"])
        let other = ExplainRequest(request: RecommendRequest(userID: "7", requestID: "r"))
        let explained = try await cluster.client.unary(RecommenderMethods.explain, other)
        #expect(explained.page?.items.map(\.itemID) == ["16", "15", "14"])
    }

    @Test func withoutARankerLiveItemsKeepTheirDetails() async throws {
        let cluster = SmallCluster(ranker: .lost) {
            $0.channels = [ChannelRequest(channel: ChannelName.newest, limit: 5)]
        }
        _ = try await upsert(cluster, Item(itemID: "21", title: "Fresh"))
        let page = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(page.items.map(\.title) == ["Fresh"])
    }

    @Test(
        arguments: [
            (Item(), "item_id: expected an id, found an empty string"),
            (Item(itemID: "20"), "snapshot v1 has the item; what changed of it comes with the next snapshot"),
            (
                Item(itemID: "x", title: String(repeating: "t", count: 1025)),
                "title: expected at most 1024 bytes, found 1025"
            ),
            (
                Item(itemID: "x", authorID: String(repeating: "a", count: 1025)),
                "author_id: expected at most 1024 bytes, found 1025"
            ),
            (
                Item(itemID: "x", publishTimeMilliseconds: -1),
                "publish_time_ms: expected milliseconds since 1970, found -1"
            ),
            (Item(itemID: "x", durationSeconds: .nan), "duration_seconds: expected 0 to 10000000.0, found nan"),
            (
                Item(itemID: "x", place: Coordinates(latitude: 91, longitude: 0)),
                "place: expected latitude -90 to 90 and longitude -180 to 180, found 91.0 and 0.0"
            ),
            (Item(itemID: "x", quality: 1.5), "quality: expected 0 to 1.0, found 1.5"),
            (Item(itemID: "x", price: -0.5), "price: expected 0 to 1e+12, found -0.5"),
            (Item(itemID: "x", price: .infinity), "price: expected 0 to 1e+12, found inf"),
        ] as [(Item, String)])
    func badItemsAreRejectedWithAReason(item: Item, reason: String) async throws {
        let response = try await upsert(cluster(), Item(itemID: "30"), item, Item(itemID: "31"))
        #expect(response.accepted == 2)
        #expect(response.rejected == [RejectedItem(index: 1, reason: reason)])
    }

    /// What the ranker is told of an item comes with the shard's answer.
    @Test func aPriceGoesAllTheWay() async throws {
        let cluster = cluster([.answering])
        _ = try await upsert(cluster, Item(itemID: "21", quality: 0.5, price: 9.5), Item(itemID: "22"))
        let response = try await cluster.shard.unary(
            RecallMethods.recall,
            RecallRequest(
                snapshotVersion: SmallCluster.version, channels: [ChannelQuery(channel: ChannelName.newest, limit: 2)],
                timeMilliseconds: SmallCluster.now))
        let prices = response.liveItems.map { ($0.itemID, $0.price) }.sorted { $0 < $1 }
        #expect(prices.map(\.0) == ["21", "22"] && prices.map(\.1) == [9.5, 0])
    }

    @Test func tooManyItemsAreRefused() async throws {
        let request = UpsertItemsRequest(items: [Item](repeating: Item(itemID: "30"), count: 1001))
        let error = await #expect(throws: RPCError.self) {
            try await cluster().client.unary(RecommenderMethods.upsertItems, request)
        }
        #expect(error?.message == "items: expected at most 1000, found 1001")
    }

    @Test func itemsOfALostShardAreRejected() async throws {
        let items = (21...40).map { Item(itemID: "\($0)") }
        let request = UpsertItemsRequest(items: items)
        let response = try await cluster([.answering, .lost]).client.unary(RecommenderMethods.upsertItems, request)
        #expect(Int(response.accepted) + response.rejected.count == 20)
        #expect(response.accepted > 0 && !response.rejected.isEmpty)
        #expect(response.rejected.allSatisfy { $0.reason.hasPrefix("recall shard 1 (shard-1): ") })
    }

    @Test func aReplicaThatMissesItemsIsNamed() async throws {
        let cluster = SmallCluster(shards: [.answering], secondReplica: .lost)
        let response = try await upsert(cluster, Item(itemID: "21"))
        #expect(response.accepted == 1 && response.rejected.isEmpty)
        #expect(response.reasons.count == 1)
        #expect(response.reasons[0].hasPrefix("recall shard 0 (second-0): "))
    }

    /// Of two shards the second owns item 1, see the tests of partial answers.
    @Test(
        arguments: [
            (
                PutItemsRequest(shard: 1, shardCount: 2),
                "is shard 0 of 2, expected 1 of 2"
            ),
            (PutItemsRequest(shard: 0, shardCount: 3), "is shard 0 of 2, expected 0 of 3"),
            (
                PutItemsRequest(shardCount: 2, items: [LiveItem](repeating: LiveItem(itemID: "20"), count: 1001)),
                "items: expected at most 1000, found 1001"
            ),
            (PutItemsRequest(shardCount: 2, items: [LiveItem()]), "item_id: expected an id, found an empty string"),
            (
                PutItemsRequest(shardCount: 2, items: [LiveItem(itemID: "1")]), "items: '1' belongs to another shard"
            ),
        ] as [(PutItemsRequest, String)])
    func shardsRefuseWhatIsNotTheirs(request: PutItemsRequest, message: String) async throws {
        let error = await #expect(throws: RPCError.self) {
            try await SmallCluster().shard.unary(RecallMethods.putItems, request)
        }
        #expect(error?.message == message)
    }

    @Test func countsWithoutItemsAreRefused() async throws {
        let request = CountImpressionsRequest(items: [1, 2], counts: [1])
        let error = await #expect(throws: RPCError.self) {
            try await SmallCluster().shard.unary(RecallMethods.countImpressions, request)
        }
        #expect(error?.code == .invalidArgument)
    }

    /// Ranking puts the highest keys first; the page of ten has one place for a new item, and the least shown gets it.
    @Test func aNewItemIsGivenAPlace() async throws {
        let cluster = cluster(channels: [ChannelName.newItem]) {
            $0.pageSize = 10
            $0.channels[1].limit = 20
            $0.impressionReportInterval = .zero
        }
        // "0" has the lowest key of all and so is ranked last.
        _ = try await upsert(cluster, Item(itemID: "0", title: "Late"))
        let explained = try await cluster.client.unary(
            RecommenderMethods.explain, ExplainRequest(request: RecommendRequest(userID: "7")))
        #expect(explained.items.filter(\.givenPlace).map(\.itemID) == ["0"])
        let page = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(page.items.map(\.itemID) == ["20", "19", "18", "17", "16", "0", "15", "14", "13", "12"])
        #expect(page.items[5].channels == ["new-item"])
        let small = try await cluster.recommend(RecommendRequest(userID: "8", pageSize: 4))
        #expect(small.items.count == 4 && !small.items.contains { $0.itemID == "0" })
    }

    @Test func itLosesThePlaceWithItsGuaranteedImpressions() async throws {
        let cluster = cluster(channels: [ChannelName.newItem]) {
            $0.pageSize = 10
            $0.impressionReportInterval = .milliseconds(1)
        }
        _ = try await upsert(cluster, Item(itemID: "0"))
        var shown = 0
        for user in 0..<400 where shown <= 100 {
            // A like makes a stranger known.
            _ = try await cluster.record(Event(eventID: "e\(user)", userID: "u\(user)", itemID: "1", kind: .like))
            let page = try await cluster.recommend(RecommendRequest(userID: "u\(user)"))
            if page.items.contains(where: { $0.itemID == "0" }) { shown += 1 } else { break }
            // What was shown is reported soon.
            try await Task.sleep(for: .milliseconds(4))
        }
        #expect((100...110).contains(shown))
    }
}
