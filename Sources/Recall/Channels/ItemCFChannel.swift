public import Blobs
import Catalog
import Kernels
import VectorIndex

extension ChannelLoader {
    public static let itemCF = ChannelLoader(name: ChannelName.itemCF, component: "itemcf") {
        try ItemCFChannel(component: $0)
    }
}

/// Items similar to those the user touched: `itemcf`.
///
/// score(u, j) = sum over triggers i of like(u, i) sim(i, j), over the lists that ``ItemCFLists`` stores. Triggers are
/// not returned. Sums run in the order of the triggers, so shards and whole agree to the last bit.
public struct ItemCFChannel: RecallChannel {
    /// Triggers looked at, newest first: n of the paper, and what a user state holds.
    public static let triggersMax = UserState.recentMax

    private let triggers: KeyIndex
    /// `[triggers + 1]`: trigger t's list is entries `offsets[t]..<offsets[t + 1]`.
    private let offsets: SharedBuffer<UInt64>
    /// `[entries]`: rows of `items`.
    private let candidates: SharedBuffer<UInt32>
    private let similarities: SharedBuffer<Float>
    private let items: SharedBuffer<UInt64>

    /// - Complexity: O(triggers + entries): everything is checked.
    public init(component file: SafetensorsFile) throws(BlobError) {
        let keys = try file.buffer("trigger_key", as: UInt64.self, shape: [nil])
        let items = try file.buffer("item_key", as: UInt64.self, shape: [nil])
        candidates = try file.buffer("candidate", as: UInt32.self, shape: [nil])
        similarities = try file.buffer("similarity", as: Float.self, shape: [candidates.count])
        offsets = try file.offsets("offsets", spanning: candidates.count, rows: keys.count)
        try Self.checkAscending(keys, "trigger_key", path: file.path)
        try Self.checkAscending(items, "item_key", path: file.path)
        if let fault = candidates.firstIndex(where: { Int($0) >= items.count }) {
            throw BlobError(
                .corrupt,
                "\(file.path): tensor \"candidate\": entry \(fault) is \(candidates[fault]) of \(items.count) items")
        }
        if let fault = similarities.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw BlobError(
                .corrupt,
                "\(file.path): tensor \"similarity\": entry \(fault) is \(similarities[fault]), expected above 0")
        }
        self.items = items
        triggers = KeyIndex(keys)
    }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        guard query.triggers.count == query.triggerWeights.count else {
            throw RecallError(
                .invalidRequest, "\(query.triggers.count) triggers with \(query.triggerWeights.count) weights")
        }
        add(query, to: &scratch.sums, seen: &scratch.triggers)
        return Candidates(best(min(limit, items.count), of: &scratch.sums, but: scratch.triggers, scratch.excluded))
    }

    /// Adds up the lists of the triggers; of a repeated trigger the newest counts.
    private func add(_ query: RecallQuery, to sums: inout SparseSums, seen: inout KeySet) {
        let count = min(query.triggers.count, Self.triggersMax)
        seen.removeAll(reserving: count)
        sums.reserve(rows: items.count)
        candidates.withUnsafeBufferPointer { candidates in
            similarities.withUnsafeBufferPointer { similarities in
                for place in 0..<count {
                    let (key, weight) = (query.triggers[place].rawValue, query.triggerWeights[place])
                    guard seen.insert(key), weight > 0, weight.isFinite, let row = triggers.row(of: key) else {
                        continue
                    }
                    for entry in Int(offsets[row])..<Int(offsets[row + 1]) {
                        sums.add(weight * similarities[entry], to: candidates[entry])
                    }
                }
            }
        }
    }

    /// The best rows whose items are in neither set; leaves the sums empty.
    private func best(
        _ limit: Int, of sums: inout SparseSums, but triggers: borrowing KeySet, _ excluded: borrowing KeySet
    ) -> [Scored] {
        var best = TopK(limit)
        items.withUnsafeBufferPointer { items in
            sums.drain { row, score in
                guard score >= best.threshold else { return }
                let key = items[Int(row)]
                if triggers.contains(key) || excluded.contains(key) { return }
                best.offer(score: score, id: key)
            }
        }
        return best.take()
    }

    private static func checkAscending(
        _ keys: SharedBuffer<UInt64>, _ name: String, path: String
    ) throws(BlobError) {
        for row in keys.indices.dropFirst() where keys[row - 1] >= keys[row] {
            throw BlobError(
                .corrupt, "\(path): tensor \"\(name)\": row \(row) is \(keys[row]), not above \(keys[row - 1])")
        }
    }
}
