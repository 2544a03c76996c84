import Blobs
import Kernels
import Recall
import Testing

@Suite struct HostilePostingListTests {
    /// Trigger 5 with candidates 8 and 9, trigger 6 with candidate 9; and one fault.
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var triggers: [UInt64] = [5, 6]
        var offsets: [UInt64] = [0, 2, 3]
        var items: [UInt64] = [8, 9]
        var candidates: [UInt32] = [0, 1, 1]
        var similarities: [Float] = [0.5, 0.25, 1]
        var left: String?

        init(_ description: String, _ adjust: (inout Fault) -> Void) {
            testDescription = description
            adjust(&self)
        }

        func file() throws -> SafetensorsFile {
            var writer = SafetensorsWriter()
            if left != "list_key" { writer.add("list_key", triggers) }
            if left != "offsets" { writer.add("offsets", offsets) }
            if left != "item_key" { writer.add("item_key", items) }
            if left != "candidate" { writer.add("candidate", candidates) }
            if left != "weight" { writer.add("weight", similarities) }
            return try mapped(writer)
        }
    }

    @Test func theFaultlessFormLoads() throws {
        let channel = try PostingListChannel(component: Fault("none") { _ in }.file(), keys: .triggers)
        let engine = RecallShardEngine(shard: 0, of: 1, channels: ["itemcf": channel])
        let found = engine.recall(query("itemcf", triggers: [5, 6], weights: [2, 1]))
        #expect(found.map(\.candidates.keys) == [[9, 8]])
        #expect(found.map { Array($0.candidates.scores) } == [[1.5, 1]])
    }

    @Test(arguments: [
        Fault("triggers out of order") { $0.triggers = [6, 5] }, Fault("a trigger twice") { $0.triggers = [5, 5] },
        Fault("items out of order") { $0.items = [9, 8] },
        Fault("a candidate beyond the items") { $0.candidates[2] = 2 },
        Fault("a similarity of zero") { $0.similarities[0] = 0 },
        Fault("a negative similarity") { $0.similarities[0] = -0.5 },
        Fault("a similarity that is not a number") { $0.similarities[1] = .nan },
        Fault("an infinite similarity") { $0.similarities[1] = .infinity },
        Fault("too few similarities") { $0.similarities = [1, 1] },
        Fault("offsets beyond the entries") { $0.offsets = [0, 2, 4] },
        Fault("offsets that descend") { $0.offsets = [0, 9, 3] },
        Fault("too few offsets") { $0.offsets = [0, 3] }, Fault("no offsets") { $0.offsets = [] },
        Fault("a missing offset tensor") { $0.left = "offsets" },
        Fault("a missing candidate tensor") { $0.left = "candidate" },
        Fault("a missing item tensor") { $0.left = "item_key" },
    ])
    func hostileComponentsAreRefused(fault: Fault) throws {
        let file = try fault.file()
        let error = #expect(throws: BlobError.self) { try PostingListChannel(component: file, keys: .triggers) }
        #expect(error?.message.contains(file.path) == true, "\(error as Any)")
    }
}
