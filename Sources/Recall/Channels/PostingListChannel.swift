public import Blobs
import Catalog
import Kernels
import VectorIndex

extension ChannelLoader {
    public static let itemCF = ChannelLoader(name: ChannelName.itemCF, component: "itemcf") {
        try PostingListChannel(component: $0, keys: .triggers)
    }

    public static let swing = ChannelLoader(name: ChannelName.swing, component: "swing") {
        try PostingListChannel(component: $0, keys: .triggers)
    }

    public static let userCF = ChannelLoader(name: ChannelName.userCF, component: "usercf-histories") {
        try PostingListChannel(component: $0, keys: .input)
    }

    public static let sequence = weighted(ChannelName.sequence)
    public static let markov = weighted(ChannelName.markov)
    public static let ease = weighted(ChannelName.ease)

    /// Lists of a channel whose encoder, a ``TriggerEncoder``, weighs the triggers.
    private static func weighted(_ channel: String) -> ChannelLoader {
        ChannelLoader(name: channel, component: channel) { try PostingListChannel(component: $0, keys: .input) }
    }
}

/// Adds up lists of items: score(j) = sum over keys k of weight(k) list_k(j), over the lists that ``PostingLists`` stores.
///
/// The keys are the user's triggers with like(u, i), as item-to-item channels want them, or those of the channel's input.
/// Triggers are not returned. Sums run in the order of the keys, so shards and whole agree to the last bit.
public struct PostingListChannel: RecallChannel {
    /// Where the keys of a request come from.
    public enum Keys: Sendable {
        case triggers
        case input
    }

    /// Triggers looked at, newest first: n of the paper, and what a user state holds.
    public static let triggersMax = UserState.recentMax
    /// Keys of an input that are looked at, the first.
    public static let keysMax = 1_000

    private let keys: Keys
    private let lists: KeyIndex
    /// `[lists + 1]`: list l is entries `offsets[l]..<offsets[l + 1]`.
    private let offsets: SharedBuffer<UInt64>
    /// `[entries]`: rows of `items`.
    private let candidates: SharedBuffer<UInt32>
    private let weights: SharedBuffer<Float>
    private let items: SharedBuffer<UInt64>

    /// - Complexity: O(lists + entries): everything is checked.
    public init(component file: SafetensorsFile, keys: Keys) throws(BlobError) {
        let listKeys = try file.buffer("list_key", as: UInt64.self, shape: [nil])
        let items = try file.buffer("item_key", as: UInt64.self, shape: [nil])
        candidates = try file.buffer("candidate", as: UInt32.self, shape: [nil])
        weights = try file.buffer("weight", as: Float.self, shape: [candidates.count])
        offsets = try file.offsets("offsets", spanning: candidates.count, rows: listKeys.count)
        try Self.checkAscending(listKeys, "list_key", path: file.path)
        try Self.checkAscending(items, "item_key", path: file.path)
        if let fault = candidates.firstIndex(where: { Int($0) >= items.count }) {
            throw BlobError(
                .corrupt,
                "\(file.path): tensor \"candidate\": entry \(fault) is \(candidates[fault]) of \(items.count) items")
        }
        if let fault = weights.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw BlobError(
                .corrupt, "\(file.path): tensor \"weight\": entry \(fault) is \(weights[fault]), expected above 0")
        }
        self.keys = keys
        self.items = items
        lists = KeyIndex(listKeys)
    }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        guard query.triggers.count == query.triggerWeights.count else {
            throw RecallError(
                .invalidRequest, "\(query.triggers.count) triggers with \(query.triggerWeights.count) weights")
        }
        scratch.sums.reserve(rows: items.count)
        switch keys {
        case .triggers: addTriggers(of: query, to: &scratch.sums, seen: &scratch.triggers)
        case .input: add(input, of: query, to: &scratch.sums, triggers: &scratch.triggers)
        }
        return Candidates(best(min(limit, items.count), of: &scratch.sums, but: scratch.triggers, scratch.excluded))
    }

    /// Adds up the lists of the triggers; of a repeated trigger the newest counts.
    private func addTriggers(of query: RecallQuery, to sums: inout SparseSums, seen: inout KeySet) {
        let count = min(query.triggers.count, Self.triggersMax)
        seen.removeAll(reserving: count)
        for place in 0..<count where seen.insert(query.triggers[place].rawValue) {
            add(query.triggers[place].rawValue, query.triggerWeights[place], to: &sums)
        }
    }

    private func add(
        _ input: ChannelInput, of query: RecallQuery, to sums: inout SparseSums, triggers: inout KeySet
    ) {
        triggers.removeAll(reserving: query.triggers.count)
        for trigger in query.triggers { triggers.insert(trigger.rawValue) }
        for place in 0..<min(input.keys.count, Self.keysMax) {
            add(input.keys[place], input.weights[place], to: &sums)
        }
    }

    private func add(_ key: UInt64, _ weight: Float, to sums: inout SparseSums) {
        guard weight > 0, weight.isFinite, let list = lists.row(of: key) else { return }
        candidates.withUnsafeBufferPointer { candidates in
            weights.withUnsafeBufferPointer { weights in
                for entry in Int(offsets[list])..<Int(offsets[list + 1]) {
                    sums.add(weight * weights[entry], to: candidates[entry])
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
