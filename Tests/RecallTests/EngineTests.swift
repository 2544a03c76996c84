import Blobs
import Catalog
import Kernels
import Recall
import Testing
import VectorIndex

@Suite struct EngineTests {
    /// Answers as many items as it is asked for, or fails.
    struct Fixed: RecallChannel {
        var items: [UInt64]
        var failure: RecallError?

        func candidates(
            for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
        ) throws(RecallError) -> Candidates {
            if let failure { throw failure }
            let found = items.filter { !scratch.excludes(ItemKey(rawValue: $0)) }.prefix(limit)
            return Candidates(items: keys(Array(found)), scores: SharedBuffer(found.map { _ in 1 }))
        }
    }

    private func request(_ channels: [(String, Int)], excluded: [UInt64] = []) -> RecallQuery {
        RecallQuery(
            user: UserKey(rawValue: 1), channels: channels.map { ChannelRequest(channel: $0.0, limit: $0.1) },
            excludedItems: keys(excluded))
    }

    @Test func aShardNeedsTheComponentsOfItsChannelsAlone() {
        #expect(RecallShardEngine.componentKinds(for: []) == ["catalog", "two-tower"])
        #expect(
            RecallShardEngine.componentKinds(for: ["two-tower", "author", "similar-author", "popular", "cache"])
                == ["catalog", "two-tower", "vectors", "authors", "popular"])
        #expect(ChannelEncoders.componentKinds(for: ["two-tower", "popular"]) == ["two-tower"])
    }

    @Test func aFailingChannelDoesNotTakeTheOthersAlong() {
        let engine = RecallShardEngine(
            shard: 2, of: 4,
            channels: [
                "good": Fixed(items: [5, 0, 7]),
                "bad": Fixed(items: [], failure: RecallError(.invalidRequest, "broken")),
            ])
        let results = engine.recall(
            request([("bad", 3), ("good", 2), ("absent", 1), ("good", 0)], excluded: [5]))
        #expect(results.map(\.channel) == ["bad", "good", "absent", "good"])
        #expect(results.map(\.error) == ["broken", "", "shard 2 has no channel \"absent\"; it has bad, good", ""])
        #expect(results.map(\.candidates.keys) == [[], [0, 7], [], []])
        #expect(results.allSatisfy { $0.duration >= .zero })
    }

    @Test func anEmptySnapshotAnswersEveryChannelWithAnError() throws {
        let engine = try RecallShardEngine(shard: 0, of: 1, components: [:])
        let results = engine.recall(request([("popular", 10), ("two-tower", 10)]))
        #expect(results.allSatisfy { !$0.error.isEmpty && $0.candidates.count == 0 })
        #expect(engine.recall(request([])).isEmpty)
    }

    @Test func anEmptyUserVectorSwitchesTheVectorChannelOff() throws {
        let index = try VectorIndex.build(keys: [3, 4], vectors: [1, 0, 0, 1], dimension: 2, queries: [])
        let engine = RecallShardEngine(shard: 0, of: 1, channels: ["two-tower": VectorChannel(index: index)])
        #expect(engine.recall(query("two-tower")).map(\.error) == [""])
        #expect(engine.recall(query("two-tower", vector: [0, 1])).map(\.candidates.keys) == [[4, 3]])
        let narrow = engine.recall(query("two-tower", vector: [1]))
        #expect(narrow.map(\.error) == ["the query vector has 1 elements, the index has 2"])
    }

    @Test func requestsAtOnceDoNotDisturbEachOther() async throws {
        let lists = ItemCFBuilder(neighbours: 4).build(
            world(
                users: 6, items: 12,
                (0..<60).map { Showing(user: $0 % 6, item: ($0 * 7 + $0 / 6) % 12, time: Int64($0), actions: .click) }))
        let engine = try RecallShardEngine(
            shard: 0, of: 1, components: ["itemcf": mapped(lists.component(shard: 0, of: 1))])
        let queries = (1...12).map { query("itemcf", triggers: [UInt64($0), 13 - UInt64($0)], weights: [2, 1]) }
        let expected = queries.map { engine.recall($0).map(\.candidates) }
        #expect(expected.contains { $0.contains { $0.count > 0 } })
        await withTaskGroup(of: Bool.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    (0..<200).allSatisfy { round in
                        let place = (worker * 5 + round) % 12
                        return engine.recall(queries[place]).map(\.candidates) == expected[place]
                    }
                }
            }
            for await agreed in group { #expect(agreed) }
        }
    }
}
