public import Blobs
import Catalog
import Kernels

/// The most similar items of every item of the catalogue, and how they were found.
public struct SimilarityLists: Sendable {
    let keys: SharedBuffer<ItemKey>
    package let lists: NeighbourLists
    /// How the lists were built: caps, and what they cut. For the manifest.
    public var figures: [String: Double]

    init(
        keys: SharedBuffer<ItemKey>, lists: NeighbourLists, figures: [String: Double]
    ) {
        self.keys = keys
        self.lists = lists
        self.figures = figures
        self.figures["pairs"] = Double((0..<lists.count).reduce(0) { $0 + lists.count($1) })
    }

    /// The lists by the key of their item.
    public var postings: PostingLists {
        var offsets = [0]
        var candidates: [UInt32] = []
        var weights: [Float] = []
        for item in 0..<lists.count {
            for neighbour in lists[item] {
                candidates.append(UInt32(neighbour.row))
                weights.append(neighbour.similarity)
            }
            offsets.append(candidates.count)
        }
        return PostingLists(
            keys: keys.map(\.rawValue), offsets: offsets, candidates: candidates, weights: weights, items: keys)
    }

    /// The tensors of one shard's component; see ``PostingLists``.
    public func component(shard: Int, of shardCount: Int) -> SafetensorsWriter {
        postings.component(shard: shard, of: shardCount)
    }
}
