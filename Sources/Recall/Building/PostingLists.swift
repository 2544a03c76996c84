public import Blobs
package import Catalog
package import Kernels

/// Lists of weighted items by key, over the whole catalogue, and how they are split over shards: what
/// ``PostingListChannel`` adds up.
///
/// Lists are cut over all items first and split by the item's shard second, so that what the shards return sums exactly
/// to what one shard would.
public struct PostingLists: Sendable {
    /// Ascending.
    package let keys: [UInt64]
    /// `[lists + 1]`: list l is entries `offsets[l]..<offsets[l + 1]`.
    package let offsets: [Int]
    /// `[entries]`: rows of the catalogue.
    package let candidates: [UInt32]
    /// `[entries]`, above 0.
    package let weights: [Float]
    private let items: SharedBuffer<ItemKey>

    public var entries: Int { candidates.count }

    /// - Parameters:
    ///   - keys: ascending, each with a list.
    ///   - items: the catalogue's keys.
    package init(
        keys: [UInt64], offsets: [Int], candidates: [UInt32], weights: [Float], items: SharedBuffer<ItemKey>
    ) {
        precondition(offsets.count == keys.count + 1 && offsets.last == candidates.count, "offsets span the entries")
        precondition(candidates.count == weights.count, "an entry has a weight")
        self.keys = keys
        self.offsets = offsets
        self.candidates = candidates
        self.weights = weights
        self.items = items
    }

    /// The tensors of one shard's component.
    ///
    /// - `list_key` U64 `[l]` ascending: keys with an item in this shard; `offsets` U64 `[l + 1]`.
    /// - `item_key` U64 `[m]` ascending: the shard's items.
    /// - `candidate` U32 and `weight` F32, one for each list entry: row of `item_key`, weight.
    public func component(shard: Int, of shardCount: Int) -> SafetensorsWriter {
        var rowOfItem = [UInt32](repeating: .max, count: items.count)
        var itemKeys: [UInt64] = []
        for item in inLists where items[item].shard(of: shardCount) == shard {
            rowOfItem[item] = UInt32(itemKeys.count)
            itemKeys.append(items[item].rawValue)
        }
        var listKeys: [UInt64] = []
        var listOffsets: [UInt64] = [0]
        var rows: [UInt32] = []
        var kept: [Float] = []
        for list in keys.indices {
            for entry in offsets[list]..<offsets[list + 1] where rowOfItem[Int(candidates[entry])] != .max {
                rows.append(rowOfItem[Int(candidates[entry])])
                kept.append(weights[entry])
            }
            guard rows.count > Int(listOffsets[listOffsets.count - 1]) else { continue }
            listKeys.append(keys[list])
            listOffsets.append(UInt64(rows.count))
        }
        var writer = SafetensorsWriter()
        writer.add("list_key", listKeys)
        writer.add("offsets", listOffsets)
        writer.add("item_key", itemKeys)
        writer.add("candidate", rows)
        writer.add("weight", kept)
        return writer
    }

    /// Rows of items that are in some list, ascending.
    private var inLists: [Int] {
        var found = [Bool](repeating: false, count: items.count)
        for candidate in candidates { found[Int(candidate)] = true }
        return found.indices.filter { found[$0] }
    }
}

extension PostingLists {
    /// The lists of the sparse matrix's rows that are not empty.
    ///
    /// - Parameter keys: `[rows]`, ascending.
    package init(_ rows: SparseRows, keys: SharedBuffer<UInt64>, items: SharedBuffer<ItemKey>) {
        let used = (0..<rows.rows).filter { !rows.range($0).isEmpty }
        self.init(
            keys: used.map { keys[$0] }, offsets: [0] + used.map { rows.offsets[$0 + 1] }, candidates: rows.columns,
            weights: rows.values.map { Float($0) }, items: items)
    }
}
