import Blobs
import Catalog
import Foundation
import Kernels
import Recall
import Testing

/// ItemCF against dense matrices in NumPy (make_golden.py): to the last bit, since numerators are integers, square
/// root and division are correctly rounded, and sums run in the order of the triggers.
@Suite struct ItemCFGoldenTests {
    private let file: SafetensorsFile
    private let parameters: [Int]

    init() throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("golden")
        file = try SafetensorsFile(path: directory.appendingPathComponent("itemcf.safetensors").path)
        parameters = try file.buffer("parameters", as: Int64.self).map { Int($0) }
    }

    private func integers(_ name: String) throws -> [Int] {
        try file.buffer(name, as: Int64.self).map { Int($0) }
    }

    private func build(untouchedItems: Int = 0) throws -> SimilarityLists {
        let (users, items, times, actions) = (
            try integers("user"), try integers("item"), try integers("time"), try integers("actions")
        )
        let showings = users.indices.map {
            Showing(
                user: users[$0], item: items[$0], time: Int64(times[$0]),
                actions: Actions(rawValue: UInt16(actions[$0])))
        }
        return ItemCFBuilder(historyMax: parameters[2], neighbours: parameters[3]).build(
            world(users: parameters[0], items: parameters[1] + untouchedItems, showings), until: Int64(parameters[4]))
    }

    /// With few items lanes are looked at as a whole, with many through the items met.
    @Test(arguments: [0, 20_000])
    func listsAreTheBruteForceOnes(untouchedItems: Int) throws {
        let lists = try build(untouchedItems: untouchedItems)
        let (rows, similarities) = (try integers("lists"), try file.buffer("similarities", as: Float.self))
        #expect(lists.figures["capped_users"] == Double(parameters[5]) && parameters[5] > 10)
        let width = parameters[3]
        for item in 0..<parameters[1] {
            let expected = (item * width..<(item + 1) * width).filter { rows[$0] >= 0 }
            let found = lists.lists[item]
            #expect(found.map(\.row) == expected.map { rows[$0] }, "item \(item)")
            #expect(found.map(\.similarity) == expected.map { similarities[$0] }, "item \(item)")
        }
    }

    @Test(arguments: [1, 3])
    func answersAreTheBruteForceOnes(shards: Int) throws {
        let lists = try build()
        let engines = try (0..<shards).map {
            try RecallShardEngine(
                shard: $0, of: shards, components: ["itemcf": mapped(lists.component(shard: $0, of: shards))])
        }
        let (queries, weights) = (try integers("queries"), try file.buffer("query_weights", as: Float.self))
        let (results, scores) = (try integers("results"), try file.buffer("result_scores", as: Float.self))
        for row in 0..<queries.count / 12 {
            let triggers = (row * 12..<row * 12 + 12).filter { queries[$0] >= 0 }
            let request = query(
                "itemcf", limit: 15, triggers: triggers.map { UInt64(queries[$0]) + 1 },
                weights: triggers.map { weights[$0] })
            let found = ChannelMerge.merge(engines.flatMap { $0.recall(request) }, channel: "itemcf", limit: 15)
            let expected = (row * 15..<row * 15 + 15).filter { results[$0] >= 0 }
            #expect(found.candidates.keys == expected.map { UInt64(results[$0]) + 1 }, "query \(row)")
            #expect(Array(found.candidates.scores) == expected.map { scores[$0] }, "query \(row)")
        }
    }
}
