import Blobs
import Catalog
import Kernels
import Recall
import Testing

@Suite struct SwingTests {
    @Test(arguments: ["all", "drawn"])
    func listsAreTheBruteForceOnes(name: String) throws {
        let golden = try CooccurrenceGolden()
        let lists = SwingBuilder(
            historyMax: golden.historyMax, usersMax: name == "all" ? 1_000 : golden.usersMax,
            neighbours: golden.neighbours, seed: golden.seed, threads: 2
        ).build(golden.dataset, until: golden.until)
        #expect(lists.figures["capped_items"] == (name == "all" ? 0 : Double(golden.cappedItems)))
        #expect(golden.cappedItems > 5)
        for (item, expected) in try golden.rows((rows: "swing.\(name).rows", values: "swing.\(name).values"))
            .enumerated()
        {
            let found = lists.lists[item]
            expectEqual((found.map(\.row), found.map(\.similarity)), expected, "item \(item)")
        }
    }

    /// Users 0 and 1 like items 1, 2, 3; user 2 likes 1 and 2. Common: 3, 2, 2. Items 1 and 2: 2 (1/4 + 1/3 + 1/3); items 1
    /// and 3, and 2 and 3: 2 (1/4).
    private let byHand = world(
        users: 3, items: 4,
        [(0, [0, 1, 2]), (1, [0, 1, 2]), (2, [0, 1])].flatMap { user, items in
            items.map { Showing(user: user, item: $0, time: Int64(user * 10 + $0), actions: .click) }
        })

    private func engine(_ builder: SwingBuilder) throws -> RecallShardEngine {
        try RecallShardEngine(
            shard: 0, of: 1, components: ["swing": mapped(builder.build(byHand).component(shard: 0, of: 1))])
    }

    @Test func answersByHand() throws {
        let results = try engine(SwingBuilder()).recall(query("swing", triggers: [1], weights: [3]))
        #expect(results.map(\.error) == [""])
        #expect(results[0].candidates.keys == [2, 3])
        #expect(Array(results[0].candidates.scores) == [3 * Float(2 * (1.0 / 4 + 1.0 / 3 + 1.0 / 3)), 1.5])
    }

    @Test func aLargerAlphaLevelsCircles() throws {
        let results = try engine(SwingBuilder(alpha: 5)).recall(query("swing", triggers: [3], weights: [1]))
        #expect(results[0].candidates.keys == [1, 2])
        #expect(Array(results[0].candidates.scores) == [0.25, 0.25])
    }

    @Test func oneUserMakesNoPair() throws {
        let alone = world(users: 1, items: 2, (0..<2).map { Showing(user: 0, item: $0, time: 1, actions: .like) })
        let lists = SwingBuilder().build(alone)
        #expect(lists.figures["pairs"] == 0)
        #expect(SwingBuilder().build(world(users: 0, items: 0, [])).figures["pairs"] == 0)
    }
}
