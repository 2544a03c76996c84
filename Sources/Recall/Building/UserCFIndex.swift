public import Blobs
import Catalog
import Kernels

/// UserCF's lists, and what is needed to find neighbours of a user who is new or has moved on.
public struct UserCFIndex: Sendable {
    let users: SharedBuffer<UserKey>
    let items: SharedBuffer<ItemKey>
    /// `[U]`: each user's last like when the lists were made.
    let newest: [Interaction?]
    let histories: SparseRows
    /// By item: the users who are found through it.
    let postings: SparseRows
    /// `[N]`: 1 / log(1 + n_l).
    let weights: [Float]
    package let lists: NeighbourLists
    /// Caps, and what they cut. For the manifest.
    public let figures: [String: Double]

    /// The tensors of the `usercf` component, which ``UserCFEncoder`` reads; users and items are those with a history.
    ///
    /// - `user_key` U64 `[u]` ascending; `history` U32 `[u]`, |J_u|; `newest_item` U64 and `newest_ms` I64 `[u]`, the user's
    ///   last like when the lists were made, 0 when he has none; `neighbour_offsets` U64 `[u + 1]`, `neighbour` U32 (rows of
    ///   `user_key`) and `similarity` F32, best first.
    /// - `item_key` U64 `[i]` ascending; `item_weight` F32 `[i]`, 1 / log(1 + n_l); `posting_offsets` U64 `[i + 1]`,
    ///   `posting` U32, the users who are found through the item.
    public func component() -> SafetensorsWriter {
        let known = (0..<histories.rows).filter { !histories.range($0).isEmpty }
        var row = [UInt32](repeating: .max, count: histories.rows)
        for (place, user) in known.enumerated() { row[user] = UInt32(place) }
        let liked = (0..<postings.rows).filter { !postings.range($0).isEmpty }
        var writer = SafetensorsWriter(metadata: ["neighbours": String(lists.length)])
        writer.add("user_key", known.map { users[$0].rawValue })
        writer.add("history", known.map { UInt32(histories.range($0).count) })
        writer.add("newest_item", known.map { newest[$0]?.item.rawValue ?? 0 })
        writer.add("newest_ms", known.map { newest[$0]?.timeMilliseconds ?? 0 })
        writer.add("neighbour_offsets", Self.offsets(known.lazy.map { lists.count($0) }))
        writer.add("neighbour", known.flatMap { lists[$0].map { row[$0.row] } })
        writer.add("similarity", known.flatMap { lists[$0].map(\.similarity) })
        writer.add("item_key", liked.map { items[$0].rawValue })
        writer.add("item_weight", liked.map { weights[$0] })
        writer.add("posting_offsets", Self.offsets(liked.lazy.map { postings.range($0).count }))
        writer.add("posting", liked.flatMap { postings.range($0).map { row[Int(postings.columns[$0])] } })
        return writer
    }

    /// What every user's neighbours are offered: his items with like(u, i), by user key. Made into the
    /// `usercf-histories` component of each shard.
    public var itemsOfUsers: PostingLists {
        PostingLists(histories, keys: users.reinterpreted(as: UInt64.self), items: items)
    }

    private static func offsets(_ counts: some Sequence<Int>) -> [UInt64] {
        var offsets: [UInt64] = [0]
        for count in counts { offsets.append(offsets[offsets.count - 1] + UInt64(count)) }
        return offsets
    }
}
