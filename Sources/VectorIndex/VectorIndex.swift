public import Kernels

import func Glibc.pow

/// Finds the vectors of greatest inner product with a query; on unit vectors, of greatest cosine.
///
/// Exact when it has no lists: a scan of all vectors. Otherwise an inverted file: the vectors are divided into lists by
/// their nearest centroid (spherical k-means), and a search scans the lists of the centroids nearest to the query.
/// Immutable; usable from any number of threads, each with a ``SearchScratch`` of its own.
public struct VectorIndex: Sendable {
    public let dimension: Int
    /// `[n]`, list after list, ascending within a list; ascending when there are no lists.
    public let keys: SharedBuffer<UInt64>
    /// `[n, d]`, parallel to `keys`.
    let vectors: SharedBuffer<Float>
    let lists: InvertedLists?
    /// What the build measured.
    public internal(set) var report: IndexReport

    public var count: Int { keys.count }
}

/// Which vectors lie near which centroid.
struct InvertedLists: Sendable {
    /// `[lists, d]`, unit length.
    let centroids: SharedBuffer<Float>
    /// `[lists + 1]`: list l is vectors `offsets[l]..<offsets[l + 1]`.
    let offsets: SharedBuffer<UInt64>

    var count: Int { offsets.count - 1 }

    func range(_ list: Int) -> Range<Int> {
        Int(offsets[list])..<Int(offsets[list + 1])
    }
}

/// What an index is and how well it finds, as its build measured it; stored with the index and in the manifest.
public struct IndexReport: Hashable, Codable, Sendable {
    public enum Kind: String, Hashable, Codable, Sendable {
        case exact
        case inverted = "ivf"
    }

    public var kind: Kind
    public var vectors: Int
    /// Lists searched per query, of how many; 0 of 0 when exact.
    public var probes: Int
    public var lists: Int
    /// How the lists needed for the same recall grow with the depth wanted: as depth to this power, 0...1.
    public var probeGrowth: Double
    /// Share of the true `depth` best that a search returns, mean over `queries` held-out queries; 1 when exact.
    public var recall: Double
    public var depth: Int
    public var queries: Int
    public var targetRecall: Double

    /// Lists to search when the best `depth` are wanted.
    func probes(forDepth wanted: Int) -> Int {
        guard wanted > depth else { return probes }
        let factor = pow(Double(wanted) / Double(depth), probeGrowth)
        return min(lists, Int((Double(probes) * factor).rounded(.up)))
    }
}
