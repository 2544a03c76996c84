import Blobs
import Catalog
import Kernels
import Recall
import Testing

@Suite struct ItemCFTests {
    /// Keys 1, 2, 3 ... for items 0, 1, 2 ...
    private func engine(
        _ dataset: Dataset, _ builder: ItemCFBuilder = ItemCFBuilder(), until: Int64? = nil
    ) throws
        -> RecallShardEngine
    {
        let lists = builder.build(dataset, until: until)
        return try RecallShardEngine(
            shard: 0, of: 1, components: ["itemcf": mapped(lists.component(shard: 0, of: 1))])
    }

    private func recall(_ engine: RecallShardEngine, _ query: RecallQuery) -> Candidates {
        let results = engine.recall(query)
        #expect(results.map(\.error) == [""])
        return results.first?.candidates ?? Candidates()
    }

    /// Likes: A = {i1: 1, i2: 2}, B = {i1: 1, i2: 1, i3: 1}, C = {i3: 2}. Columns: i1 = (1, 1, 0), i2 = (2, 1, 0),
    /// i3 = (0, 1, 2). Cosines: i1 i2 3 / sqrt(10), i1 i3 1 / sqrt(10), i2 i3 1 / 5.
    private let byHand = world(
        users: 3, items: 3,
        [
            Showing(user: 0, item: 0, time: 1, actions: [.impression, .click]),
            Showing(user: 0, item: 1, time: 2, actions: [.click, .like]),
            Showing(user: 1, item: 0, time: 3, actions: .click),
            Showing(user: 1, item: 1, time: 4, actions: .collect),
            Showing(user: 1, item: 2, time: 5, actions: [.share, .finish, .comment]),
            Showing(user: 2, item: 2, time: 6, actions: .click),
            Showing(user: 2, item: 1, time: 7, actions: [.impression, .finish, .hide]),
            Showing(user: 2, item: 2, time: 8, actions: [.click, .like]),
        ])

    @Test func cosinesByHand() throws {
        let engine = try engine(byHand)
        let found = recall(engine, query("itemcf", triggers: [1], weights: [1]))
        #expect(found.keys == [2, 3])
        #expect(Array(found.scores) == [Float(3 / 10.0.squareRoot()), Float(1 / 10.0.squareRoot())])
    }

    @Test func scoresAddUpOverTriggersAndTriggersStayAway() throws {
        let engine = try engine(byHand)
        let found = recall(engine, query("itemcf", triggers: [1, 2], weights: [2, 3]))
        #expect(found.keys == [3])
        #expect(abs(found.scores[0] - (2 / 10.0.squareRoot() + 3 * 0.2).asFloat) < 1e-6)
    }

    @Test func aRepeatedTriggerCountsOnceWithItsNewestWeight() throws {
        let engine = try engine(byHand)
        let once = recall(engine, query("itemcf", triggers: [1], weights: [2]))
        #expect(recall(engine, query("itemcf", triggers: [1, 1, 1], weights: [2, 4, 1])) == once)
    }

    @Test(arguments: [0, -1, .nan, .infinity] as [Float])
    func aWeightThatIsNoScoreIsPassedOver(weight: Float) throws {
        let engine = try engine(byHand)
        #expect(recall(engine, query("itemcf", triggers: [1], weights: [weight])).count == 0)
    }

    @Test func exclusionsLimitsAndUnknownTriggers() throws {
        let engine = try engine(byHand)
        #expect(recall(engine, query("itemcf", triggers: [1], weights: [1], excluded: [2, 77])).keys == [3])
        #expect(recall(engine, query("itemcf", limit: 1, triggers: [1], weights: [1])).keys == [2])
        #expect(recall(engine, query("itemcf", limit: 0, triggers: [1], weights: [1])).count == 0)
        #expect(recall(engine, query("itemcf", triggers: [99], weights: [1])).count == 0)
        #expect(recall(engine, query("itemcf")).count == 0)
        // Nothing of an earlier request is left in the reused memory.
        #expect(recall(engine, query("itemcf", triggers: [1], weights: [1])).keys == [2, 3])
    }

    @Test func showingsAtOrAfterTheCutDoNotCount() throws {
        // Before 5: only users A and B with items 1 and 2: cosine (1 * 2 + 1 * 1) / sqrt(2 * 5).
        let found = recall(try engine(byHand, until: 5), query("itemcf", triggers: [2], weights: [1]))
        #expect(found.keys == [1])
        #expect(Array(found.scores) == [Float(3 / 10.0.squareRoot())])
    }

    @Test func onlyTheNewestOfALongHistoryCount() throws {
        // One user likes items 1...6 in turn, item 1 once more at the end; the cap of 3 keeps 1, 6 and 5.
        let liked = (0..<6).map { Showing(user: 0, item: $0, time: Int64($0), actions: .click) }
        let dataset = world(users: 1, items: 6, liked + [Showing(user: 0, item: 0, time: 9, actions: .like)])
        let lists = ItemCFBuilder(historyMax: 3).build(dataset)
        #expect(lists.figures["capped_users"] == 1)
        #expect(lists.figures["dropped_showings"] == 3)
        let engine = try engine(dataset, ItemCFBuilder(historyMax: 3))
        let found = recall(engine, query("itemcf", triggers: [6], weights: [1]))
        #expect(found.keys == [1, 5])
        #expect(Array(found.scores) == [1, 1])
    }

    @Test func tiesGoToTheLowerKeyAtTheCutOfAList() throws {
        // Item 1 is liked together with each of 2...9 once: all alike.
        let showings = (1..<9).flatMap { item in
            [0, item].map { Showing(user: item, item: $0, time: Int64(item), actions: .click) }
        }
        let found = recall(
            try engine(world(users: 9, items: 9, showings.reversed()), ItemCFBuilder(neighbours: 3)),
            query("itemcf", triggers: [1], weights: [1]))
        #expect(found.keys == [2, 3, 4])
    }

    @Test func nothingLikedGivesEmptyLists() throws {
        let seen = [Showing(user: 0, item: 0, time: 1, actions: .impression)]
        for dataset in [world(users: 0, items: 0, []), world(users: 2, items: 3, seen)] {
            #expect(recall(try engine(dataset), query("itemcf", triggers: [1], weights: [1])).count == 0)
        }
    }

    @Test func weightsThatDoNotMatchTheTriggersAreRefused() throws {
        let results = try engine(byHand).recall(query("itemcf", triggers: [1, 2], weights: [1]))
        #expect(results.map(\.error) == ["2 triggers with 1 weights"])
    }
}

extension Double {
    fileprivate var asFloat: Float { Float(self) }
}
