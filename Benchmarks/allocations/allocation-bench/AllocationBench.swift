import ArgumentParser
import Blobs
import CAllocations
import Catalog
import Foundation
import Kernels
import Recall
import VectorIndex

/// Counts allocations of the hot paths of recall and ranking, with some candidates and with ten times as many.
@main
struct AllocationBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocation-bench",
        abstract: "Counts allocations a request, with some candidates and with ten times as many; fails if they differ."
    )

    @Option(help: "Candidates of the smaller request.") var candidates = 10_000
    @Option(help: "Best kept.") var limit = 100

    func validate() throws {
        guard candidates >= 1_000, limit > 0, limit <= candidates / 10 else {
            throw ValidationError("expected at least 1,000 candidates, and at most a tenth of them kept")
        }
    }

    /// One hot path: makes a request over so many candidates, to be run again and again.
    private struct Path {
        var name: String
        var request: (_ candidates: Int) throws -> () throws -> Void
    }

    func run() throws {
        let paths =
            [
                Path(name: "top-k of a stream", request: topKStream),
                Path(name: "top-k of an array", request: topKArray),
                Path(name: "posting-list merge", request: postingLists),
                Path(name: "ranking model", request: { try RankerRequest.make($0, precisions: [:]) }),
                Path(name: "ranking model, bytes", request: { try RankerRequest.make($0, precisions: nil) }),
                Path(name: "pre-rank, cut, rank, fusion", request: { try RankCall.make($0, limit: limit) }),
            ]
            + IndexKind.allCases.map { kind in
                Path(name: "search, \(kind.rawValue)") { try search(kind, $0) }
            }
        print("allocations a request, \(limit) best of   \(candidates)   \(candidates * 10)   a candidate more")
        var worst = 0
        for path in paths {
            let (few, many) = (
                try allocations(path.request(candidates)), try allocations(path.request(candidates * 10))
            )
            worst = max(worst, abs(many - few))
            let each = Double(many - few) / Double(candidates * 9)
            print("  \(path.name.padding(toLength: 32, withPad: " ", startingAt: 0)) \(few)   \(many)   \(each)")
        }
        print(
            "{\"name\": \"allocations\", \"value\": \(worst), "
                + "\"unit\": \"allocations more for ten times the candidates\", \"peers\": {}, \"ratios\": {}}")
        if worst != 0 { throw ExitCode(1) }
    }

    /// Allocations of one call, after some that let buffers grow.
    private func allocations(_ request: () throws -> Void) throws -> Int {
        for _ in 0..<3 { try request() }
        let before = ca_allocations()
        try request()
        return Int(ca_allocations() - before)
    }

    private func scores(_ count: Int) -> [Float] {
        var random = SeededGenerator(seed: 1)
        return (0..<count).map { _ in Float(random.normal()) }
    }

    private func topKStream(_ candidates: Int) -> () -> Void {
        let scores = scores(candidates)
        return {
            var best = TopK(limit)
            scores.withUnsafeBufferPointer { best.offer(scores: $0, firstID: 0) }
            precondition(best.take().count == limit, "as many as asked for")
        }
    }

    private func topKArray(_ candidates: Int) -> () -> Void {
        let scores = scores(candidates)
        return {
            let best = scores.withUnsafeBufferPointer { TopK.select(limit, of: $0) }
            precondition(best.count == limit, "as many as asked for")
        }
    }

    /// Twenty triggers whose lists hold the candidates, one in five of them in two lists.
    private func postingLists(_ candidates: Int) throws -> () throws -> Void {
        let (triggers, length) = (20, candidates / 20)
        let rows = candidates * 4 / 5
        var writer = SafetensorsWriter()
        writer.add("list_key", (0..<triggers).map { UInt64(1_000_000_000 + $0) })
        writer.add("offsets", (0...triggers).map { UInt64($0 * length) })
        writer.add("item_key", (0..<rows).map { UInt64($0) })
        writer.add("candidate", (0..<triggers * length).map { UInt32($0 % rows) })
        writer.add("weight", scores(triggers * length).map { abs($0) + 1e-3 })
        let url = FileManager.default.temporaryDirectory.appending(path: "allocations-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try writer.write(to: url.path())
        let channel = try PostingListChannel(component: SafetensorsFile(path: url.path()), keys: .triggers)
        let scratch = RecallScratch()
        let query = RecallQuery(
            user: UserKey(rawValue: 1),
            triggers: SharedBuffer((0..<triggers).map { ItemKey(rawValue: UInt64(1_000_000_000 + $0)) }),
            triggerWeights: SharedBuffer([Float](repeating: 1, count: triggers)), channels: [], excludedItems: [])
        return {
            let found = try channel.candidates(for: query, input: ChannelInput(), limit: limit, scratch: scratch)
            precondition(found.items.count == limit, "as many as asked for")
        }
    }

    /// An index in which all lists are searched, so that every vector is a candidate; the best are excluded, and half is
    /// filtered out.
    private func search(_ kind: IndexKind, _ candidates: Int) throws -> () throws -> Void {
        let dimension = 16
        let queries = SharedBuffer(scores(100 * dimension))
        var options = VectorIndexOptions()
        options.kind = kind
        options.lists = 32
        options.probes = 32
        options.targetRecall = 0.5
        options.iterations = 2
        let index = try VectorIndex.build(
            keys: SharedBuffer((0..<candidates).map { UInt64($0) }),
            vectors: SharedBuffer(scores(candidates * dimension)),
            dimension: dimension, queries: queries, options: options)
        let query = queries[shared: 0..<dimension]
        let filter = index.filter { $0 % 2 == 0 }
        let scratch = SearchScratch()
        let best = try index.search(query, limit: limit)
        return {
            var excluded = KeySet()
            excluded.removeAll(reserving: best.count)
            for candidate in best { excluded.insert(candidate.id) }
            for allowed in [nil, filter] {
                let found = try index.search(
                    query, limit: limit, filter: allowed, excluding: excluded, scratch: scratch)
                precondition(found.count == limit, "as many as asked for")
            }
        }
    }
}
