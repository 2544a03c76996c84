public import Blobs
import Catalog
import Kernels

/// ItemCF's lists for the whole catalogue, and how they are split over shards.
///
/// A list is cut to its best k over all items first and split by the candidate's shard second, so that what the shards
/// return sums exactly to what one shard would.
public struct ItemCFLists: Sendable {
    let keys: SharedBuffer<ItemKey>
    package let lists: NeighbourLists
    /// Users whose history was cut to the cap, and how many showings did not count for that.
    public let cappedUsers: Int
    public let droppedShowings: Int
    let builder: ItemCFBuilder

    /// Entries of all lists together.
    public var pairs: Int { (0..<lists.items).reduce(0) { $0 + lists.count($1) } }

    /// The tensors of one shard's `itemcf` component.
    ///
    /// - `trigger_key` U64 `[t]` ascending: items with a candidate in this shard; `offsets` U64 `[t + 1]`.
    /// - `item_key` U64 `[m]` ascending: the shard's candidates.
    /// - `candidate` U32 and `similarity` F32, one for each list entry: row of `item_key`, cosine.
    public func component(shard: Int, of shardCount: Int) -> SafetensorsWriter {
        var rowOfItem = [UInt32](repeating: .max, count: keys.count)
        var itemKeys: [UInt64] = []
        for item in inLists where keys[item].shard(of: shardCount) == shard {
            rowOfItem[item] = UInt32(itemKeys.count)
            itemKeys.append(keys[item].rawValue)
        }
        var triggers: [UInt64] = []
        var offsets: [UInt64] = [0]
        var candidates: [UInt32] = []
        var similarities: [Float] = []
        for item in 0..<lists.items {
            for neighbour in lists[item] where rowOfItem[neighbour.row] != .max {
                candidates.append(rowOfItem[neighbour.row])
                similarities.append(neighbour.similarity)
            }
            guard candidates.count > Int(offsets[offsets.count - 1]) else { continue }
            triggers.append(keys[item].rawValue)
            offsets.append(UInt64(candidates.count))
        }
        var writer = SafetensorsWriter(metadata: metadata)
        writer.add("trigger_key", triggers)
        writer.add("offsets", offsets)
        writer.add("item_key", itemKeys)
        writer.add("candidate", candidates)
        writer.add("similarity", similarities)
        return writer
    }

    /// What the manifest says of the lists.
    public var metadata: [String: String] {
        [
            "history_max": String(builder.historyMax), "neighbours": String(builder.neighbours),
            "capped_users": String(cappedUsers), "dropped_showings": String(droppedShowings),
        ]
    }

    /// Items that are in some list, ascending.
    private var inLists: [Int] {
        var found = [Bool](repeating: false, count: keys.count)
        for item in 0..<lists.items {
            for neighbour in lists[item] { found[neighbour.row] = true }
        }
        return found.indices.filter { found[$0] }
    }
}
