package import Blobs
package import Catalog
package import Kernels

/// Items by path, with the vectors that they are scored with, and how they are split over shards: what ``PathChannel``
/// reads.
package struct PathIndex: Sendable {
    private let items: SharedBuffer<ItemKey>
    private let paths: ItemPaths
    private let vectors: SharedBuffer<Float>
    private let dimension: Int
    private let pathWeight: Float

    /// - Parameters:
    ///   - items: the catalogue's keys.
    ///   - vectors: `[items, dimension]`.
    ///   - pathWeight: what the log of the paths' probability counts beside the inner product.
    package init(
        _ paths: ItemPaths, items: SharedBuffer<ItemKey>, vectors: SharedBuffer<Float>, dimension: Int,
        pathWeight: Float
    ) {
        precondition(vectors.count == items.count * dimension, "a vector for every item")
        self.items = items
        self.paths = paths
        self.vectors = vectors
        self.dimension = dimension
        self.pathWeight = pathWeight
    }

    /// The tensors of one shard's component.
    ///
    /// - `path` U64 `[p]` ascending: paths with an item in this shard; `offsets` U64 `[p + 1]`.
    /// - `item` U32 `[e]`: by path, rows of `item_key`, ascending.
    /// - `item_key` U64 `[m]` ascending: the shard's items; `vectors` F32 `[m, d]`.
    /// - `path_weight` in the metadata.
    package func component(shard: Int, of shards: Int) -> SafetensorsWriter {
        let rows = items.indices.filter { paths.hasPaths[$0] && items[$0].shard(of: shards) == shard }
        var entries: [(path: UInt64, item: UInt32)] = []
        var own: [Float] = []
        own.reserveCapacity(rows.count * dimension)
        for (place, row) in rows.enumerated() {
            for path in paths.paths(of: row) { entries.append((UInt64(path), UInt32(place))) }
            own.append(contentsOf: vectors[shared: row * dimension..<(row + 1) * dimension])
        }
        entries.sort { ($0.path, $0.item) < ($1.path, $1.item) }
        var keys: [UInt64] = []
        var offsets: [UInt64] = []
        for (place, entry) in entries.enumerated() where keys.last != entry.path {
            keys.append(entry.path)
            offsets.append(UInt64(place))
        }
        offsets.append(UInt64(entries.count))
        var writer = SafetensorsWriter(metadata: ["path_weight": String(pathWeight)])
        writer.add("path", keys)
        writer.add("offsets", offsets)
        writer.add("item", entries.map(\.item))
        writer.add("item_key", rows.map { items[$0].rawValue })
        writer.add("vectors", own, shape: [rows.count, dimension])
        return writer
    }
}
