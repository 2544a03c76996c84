public import Kernels

/// Finds the vectors of greatest inner product, or cosine, with a query.
///
/// Exact when it has no lists: a scan of all vectors. Otherwise an inverted file: the vectors are divided into lists by
/// their nearest centroid (spherical k-means); a search scans compressed forms of the vectors in the lists nearest to the query,
/// and scores the best of those again by the vectors themselves, so that every score it returns is exact.
/// Immutable; usable from any number of threads, each with a ``SearchScratch`` of its own.
public struct VectorIndex: Sendable {
    public let dimension: Int
    /// `[n]`, list after list, ascending within a list; ascending when there are no lists.
    public let keys: SharedBuffer<UInt64>
    /// `[n, d]`, parallel to `keys`; unit length (or zero) when the metric is cosine.
    let vectors: SharedBuffer<Float>
    let lists: InvertedLists?
    /// What the build measured.
    public package(set) var report: IndexReport

    public var count: Int { keys.count }
}

/// Which vectors lie near which centroid, and their compressed forms.
struct InvertedLists: Sendable {
    /// `[lists, d]`.
    let centroids: SharedBuffer<Float>
    /// `[lists + 1]`: list l is vectors `offsets[l]..<offsets[l + 1]`.
    let offsets: SharedBuffer<UInt64>
    /// The centroids as one list.
    let centroidBytes: ByteBlocks
    let compressed: Compressed

    enum Compressed: Sendable {
        case bytes(ByteBlocks)
        case codes(CodeBlocks, ByteRows)
    }

    var count: Int { offsets.count - 1 }

    init(
        centroids: SharedBuffer<Float>, dimension: Int, offsets: SharedBuffer<UInt64>, compressed: Compressed
    ) {
        self.centroids = centroids
        self.offsets = offsets
        self.compressed = compressed
        centroidBytes = ByteBlocks(
            encoding: centroids, width: dimension, offsets: [0, UInt64(offsets.count - 1)], threads: .one)
    }

    func range(_ list: Int) -> Range<Int> {
        Int(offsets[list])..<Int(offsets[list + 1])
    }
}
