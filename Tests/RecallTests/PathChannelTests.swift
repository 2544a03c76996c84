import Blobs
import Catalog
import Kernels
import Models
import Recall
import Testing

/// Deep Retrieval's side of a shard.
@Suite struct PathChannelTests {
    /// Paths 3, 7 and 40 with items 8, 9, 12; and one fault.
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var paths: [UInt64] = [3, 7, 40]
        var offsets: [UInt64] = [0, 2, 3, 5]
        var entries: [UInt32] = [0, 2, 1, 0, 1]
        var items: [UInt64] = [8, 9, 12]
        var vectors: [Float] = [1, 0, 0.5, 0.5, 0, 2]
        var width = 2
        var weight: String? = "0"
        var left: String?

        init(_ description: String, _ adjust: (inout Fault) -> Void) {
            testDescription = description
            adjust(&self)
        }

        func file() throws -> SafetensorsFile {
            var writer = SafetensorsWriter(metadata: weight.map { ["path_weight": $0] } ?? [:])
            if left != "path" { writer.add("path", paths) }
            if left != "offsets" { writer.add("offsets", offsets) }
            if left != "item" { writer.add("item", entries) }
            if left != "item_key" { writer.add("item_key", items) }
            if left != "vectors" {
                writer.add("vectors", vectors, shape: [width > 0 ? vectors.count / width : items.count, width])
            }
            return try mapped(writer)
        }
    }

    private func found(
        _ paths: [UInt64], weights: [Float]? = nil, vector: [Float] = [1, 2], limit: Int = 10,
        excluded: [UInt64] = [], pathWeight: String = "0"
    ) throws -> ChannelResult {
        let engine = RecallShardEngine(
            shard: 0, of: 1,
            channels: [
                "deep-retrieval": try PathChannel(component: Fault("none") { $0.weight = pathWeight }.file())
            ])
        return engine.recall(
            RecallQuery(
                user: UserKey(rawValue: 1),
                channels: [
                    ChannelRequest(
                        channel: "deep-retrieval", limit: limit,
                        input: ChannelInput(
                            keys: SharedBuffer(paths), weights: SharedBuffer(weights ?? paths.map { _ in -1 }),
                            vector: SharedBuffer(vector)))
                ], excludedItems: keys(excluded)))[0]
    }

    @Test func itemsOfThePathsAreScoredByTheirVectors() throws {
        // 8 . user = 1, 9 . user = 1.5, 12 . user = 4
        let all = try found([3, 7, 40])
        #expect(all.candidates.keys == [12, 9, 8])
        #expect(Array(all.candidates.scores) == [4, 1.5, 1])
        // Item 9 is on two of the paths and comes once; item 12 is on neither.
        #expect(try found([40, 7]).candidates.keys == [9, 8])
        #expect(try found([3, 40], limit: 2).candidates.keys == [12, 9])
        #expect(try found([3, 40], limit: 2, excluded: [12]).candidates.keys == [9, 8])
        #expect(try found([3], excluded: [8, 12]).candidates.keys.isEmpty)
    }

    /// By hand: item 8 is on paths 3 and 40, of probability 1/2 and 1/4; 9 on 40, 12 on 3.
    @Test func thePathsProbabilityCountsWithItsWeight() throws {
        let result = try found([3, 40], weights: [logarithm(0.5), logarithm(0.25)], pathWeight: "2")
        #expect(result.candidates.keys == [12, 8, 9])
        let expected = [4 + 2 * logarithm(0.5), 1 + 2 * logarithm(0.75), 1.5 + 2 * logarithm(0.25)]
        #expect(zip(result.candidates.scores, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func whatAPeerMaySendHarmsNothing() throws {
        #expect(try found([3, 7], weights: [.nan, .infinity], pathWeight: "1").candidates.keys == [9])
        #expect(try found([3, 3], weights: [-.infinity, -1e30], pathWeight: "1").candidates.keys == [12, 8])
        #expect(try found([]).candidates.keys.isEmpty)
        #expect(try found([], vector: []).error.isEmpty)
        #expect(try found([5, .max, 0]).candidates.keys.isEmpty)
        #expect(try found([3, 3, 3]).candidates.keys == [12, 8])
        #expect(try found([3], vector: [1]).error == "the user vector has 1 elements, the items' have 2")
        #expect(try found([3], vector: [.nan, 1]).candidates.keys.isEmpty)
        // Only the first thousand are looked at.
        #expect(try found(Array(100..<1_100) + [3]).candidates.keys.isEmpty)
        #expect(try found(Array(100..<1_099) + [3]).candidates.keys == [12, 8])
    }

    @Test(arguments: [
        Fault("paths out of order") { $0.paths = [7, 3, 40] }, Fault("a path twice") { $0.paths = [3, 3, 40] },
        Fault("items out of order") { $0.items = [8, 12, 9] }, Fault("an item twice") { $0.items = [8, 8, 9] },
        Fault("an entry beyond the items") { $0.entries[2] = 3 },
        Fault("an item twice on a path") { $0.entries = [0, 0, 1, 0, 1] },
        Fault("entries that descend") { $0.entries = [2, 0, 1, 0, 1] },
        Fault("offsets beyond the entries") { $0.offsets[3] = 6 }, Fault("offsets that descend") { $0.offsets[1] = 4 },
        Fault("too few offsets") { $0.offsets = [0, 2, 5] }, Fault("no offsets") { $0.offsets = [] },
        Fault("too few vectors") { $0.vectors = [1, 2] },
        Fault("vectors of no width") { ($0.vectors, $0.width) = ([], 0) },
        Fault("a vector that is not a number") { $0.vectors[3] = .nan },
        Fault("an infinite vector") { $0.vectors[0] = .infinity },
        Fault("no path weight") { $0.weight = nil }, Fault("a path weight below 0") { $0.weight = "-1" },
        Fault("a path weight that is not a number") { $0.weight = "nan" },
        Fault("no path tensor") { $0.left = "path" }, Fault("no offset tensor") { $0.left = "offsets" },
        Fault("no entry tensor") { $0.left = "item" }, Fault("no item tensor") { $0.left = "item_key" },
        Fault("no vector tensor") { $0.left = "vectors" },
    ])
    func hostileComponentsAreRefused(fault: Fault) throws {
        let file = try fault.file()
        let error = #expect(throws: BlobError.self) { try PathChannel(component: file) }
        #expect(error?.message.contains(file.path) == true, "\(error as Any)")
    }

    @Test func anEmptyComponentAnswersNothing() throws {
        let index = PathIndex(
            ItemPaths(PathSpace(nodes: 2, depth: 2), width: 1, items: 0), items: [], vectors: [], dimension: 2,
            pathWeight: 1)
        let channel = try PathChannel(component: mapped(index.component(shard: 0, of: 1)))
        let engine = RecallShardEngine(shard: 0, of: 1, channels: ["deep-retrieval": channel])
        #expect(engine.recall(query("deep-retrieval", vector: [1, 2]))[0].error.isEmpty)
    }
}
