import Blobs
import Catalog
import Kernels
import Models
import Recall
import Testing
import VectorIndex

/// Shards merged answer what one shard with all items answers, to the last bit.
@Suite struct ShardingTests {
    private static let dimension = 10
    private static let items = 700

    private let dataset: Dataset
    private let vectors: SharedBuffer<Float>
    private let lists: SimilarityLists
    private let swing: SimilarityLists
    private let sequence: SimilarityLists
    private let userCF: UserCFIndex
    private let paths: PathIndex

    init() {
        var random = SeededGenerator(seed: 11)
        let popularity = (0..<Self.items).map { 1 / Double($0 + 5) }
        let showings = (0..<6_000).map { time in
            var draw = random.uniformDouble() * popularity.reduce(0, +)
            let item = popularity.firstIndex { share in
                draw -= share
                return draw <= 0
            }
            return Showing(
                user: Int.random(in: 0..<120, using: &random), item: item ?? 0, time: Int64(time) * 600_000,
                actions: Actions(rawValue: UInt16.random(in: 0..<32, using: &random)))
        }
        dataset = world(
            users: 120, items: Self.items,
            publishTimes: (0..<Self.items).map { Int64($0 / 9) * 86_400_000 },  // nines of equally new items
            authors: (0..<Self.items).map { UInt64($0 % 23) },
            key: { UInt64($0) * 0x9E37_79B9_7F4A + 5 }, showings)
        vectors = SharedBuffer((0..<Self.items * Self.dimension).map { _ in Float(random.normal()) })
        lists = ItemCFBuilder(historyMax: 30, neighbours: 6, threads: 2).build(dataset)
        swing = SwingBuilder(historyMax: 30, usersMax: 20, neighbours: 6, threads: 2).build(dataset)
        var rules = SequenceRulesBuilder()
        rules.window = 3
        rules.neighbours = 6
        sequence = rules.build(dataset)
        userCF = UserCFBuilder(historyMax: 30, usersMax: 20, neighbours: 12, threads: 2).build(
            dataset, states: states(dataset))
        var itemPaths = ItemPaths(PathSpace(nodes: 4, depth: 3), width: 3, items: Self.items)
        for item in 0..<Self.items where item % 5 != 0 { itemPaths.draw(item, &random) }
        paths = PathIndex(
            itemPaths, items: dataset.items.keys, vectors: vectors, dimension: Self.dimension, pathWeight: 0.5)
    }

    private func engine(_ shard: Int, of count: Int) throws -> RecallShardEngine {
        let own = (0..<Self.items).filter { dataset.items.keys[$0].shard(of: count) == shard }
        let index = try VectorIndex.build(
            keys: SharedBuffer(own.map { dataset.items.keys[$0].rawValue }),
            vectors: SharedBuffer(
                own.flatMap { vectors[shared: $0 * Self.dimension..<($0 + 1) * Self.dimension] }),
            dimension: Self.dimension, queries: [])
        return try RecallShardEngine(
            shard: shard, of: count,
            components: [
                "vectors": mapped(index.component()),
                "als-vectors": mapped(index.component()),
                "deep-retrieval-paths": mapped(paths.component(shard: shard, of: count)),
                "itemcf": mapped(lists.component(shard: shard, of: count)),
                "swing": mapped(swing.component(shard: shard, of: count)),
                "sequence": mapped(sequence.component(shard: shard, of: count)),
                "usercf-histories": mapped(userCF.itemsOfUsers.component(shard: shard, of: count)),
                "popular": mapped(RankedList.popular(dataset).component(shard: shard, of: count)),
                "newest": mapped(RankedList.newest(dataset).component(shard: shard, of: count)),
                "new-item": mapped(RankedList.underExposed(dataset).component(shard: shard, of: count)),
                "authors": mapped(NewestLists.byAuthor(dataset).component(shard: shard, of: count)),
            ])
    }

    private func queries() -> [RecallQuery] {
        var random = SeededGenerator(seed: 12)
        return (0..<30).map { round in
            let triggers = (0..<round).map { _ in dataset.items.keys[Int.random(in: 0..<200, using: &random)] }
            let weights = triggers.map { _ in Float(Int.random(in: 1...4, using: &random)) }
            let vector = SharedBuffer((0..<Self.dimension).map { _ in Float(random.normal()) })
            let inputs = [
                "two-tower": ChannelInput(vector: vector),
                "als": ChannelInput(vector: vector),
                "deep-retrieval": ChannelInput(
                    keys: SharedBuffer((0..<12).map { UInt64(($0 * 7 + round) % 64) }),
                    weights: SharedBuffer((0..<12).map { -Float($0) }), vector: vector),
                "author": ChannelInput(keys: [3, 5, UInt64(round % 23)], weights: [1, 0.5, 0.5 + Float(round)]),
                "sequence": ChannelInput(
                    keys: SharedBuffer(triggers.map(\.rawValue)),
                    weights: SharedBuffer(triggers.indices.map { 1 / Float($0 + 1) })),
                "usercf": ChannelInput(
                    keys: SharedBuffer((0..<40).map { UInt64($0 * round % 120) }),
                    weights: SharedBuffer((0..<40).map { 1 / Float($0 + 3) })),
            ]
            return RecallQuery(
                user: UserKey(rawValue: 1), triggers: SharedBuffer(triggers),
                triggerWeights: SharedBuffer(weights),
                channels: [
                    "two-tower", "als", "deep-retrieval", "itemcf", "swing", "usercf", "sequence", "popular", "newest",
                    "new-item",
                    "author",
                ].map {
                    ChannelRequest(
                        channel: $0, limit: [1, 20, 100, 5_000][round % 4], input: inputs[$0] ?? ChannelInput())
                },
                excludedItems: SharedBuffer(dataset.items.keys[shared: 0..<round * 3]),
                timeMilliseconds: 80 * 86_400_000)
        }
    }

    @Test(arguments: [2, 4, 7])
    func shardsMergeToTheWhole(count: Int) throws {
        let whole = try engine(0, of: 1)
        let shards = try (0..<count).map { try engine($0, of: count) }
        for query in queries() {
            let parts = shards.map { $0.recall(query) }
            for (place, expected) in whole.recall(query).enumerated() {
                #expect(expected.error.isEmpty)
                #expect(
                    expected.candidates.count > 0
                        || (["itemcf", "swing", "sequence"].contains(expected.channel) && query.triggers.count < 3))
                let merged = ChannelMerge.merge(
                    parts.map { $0[place] }, channel: expected.channel, limit: query.channels[place].limit)
                #expect(merged.candidates == expected.candidates, "\(expected.channel)")
            }
        }
    }

    @Test func theNumberOfThreadsChangesNothing() throws {
        let alone = ItemCFBuilder(historyMax: 30, neighbours: 6, threads: 1).build(dataset)
        for item in 0..<Self.items { #expect(alone.lists[item] == lists.lists[item]) }
        let swung = SwingBuilder(historyMax: 30, usersMax: 20, neighbours: 6, threads: 1).build(dataset)
        for item in 0..<Self.items { #expect(swung.lists[item] == swing.lists[item]) }
        let index = UserCFBuilder(historyMax: 30, usersMax: 20, neighbours: 12, threads: 1).build(
            dataset, states: states(dataset))
        for user in 0..<120 { #expect(index.lists[user] == userCF.lists[user]) }
    }
}
