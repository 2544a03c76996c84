import func Glibc.pow

/// What an index is and how well it finds, as its build measured it; stored with the index and in the manifest.
public struct IndexReport: Hashable, Codable, Sendable {
    public var kind: IndexKind
    public var metric: IndexMetric
    public var vectors: Int
    /// Lists searched per query, of how many; 0 of 0 when exact.
    public var probes: Int
    public var lists: Int
    /// Vectors scored a second time, by a finer form than the scan's, for each one wanted; 0 when exact.
    public var rerank: Double
    /// A search stops early after so many lists in a row that add at most one candidate each; 0: never.
    public var patience: Int
    /// How the lists needed for the same recall grow with the depth wanted: as depth to this power, 0...1.
    public var probeGrowth: Double
    /// Share of the true `depth` best that a search returns, mean over `queries` held-out queries; 1 when exact.
    public var recall: Double
    public var depth: Int
    public var queries: Int
    public var targetRecall: Double

    /// Fewer wanted are searched for as if it were so many: of a handful, too few would be scored a second time.
    private static let wantedMin = 32

    /// Lists to search when the best `depth` are wanted.
    func probes(forDepth wanted: Double) -> Int {
        guard wanted > Double(depth) else { return probes }
        let factor = pow(wanted / Double(depth), probeGrowth)
        return Int(min(Double(lists), (Double(probes) * factor).rounded(.up)))
    }

    /// Vectors to score a second time when `wanted` are wanted.
    func reranked(for wanted: Int) -> Int {
        Int((rerank * Double(max(wanted, Self.wantedMin))).rounded(.up))
    }

    /// Vectors, of those, whose exact score is computed: what bytes put a little behind the wanted may be among them.
    func finest(for wanted: Int) -> Int {
        wanted + wanted / 20 + reranked(for: wanted) / 30 + 5
    }
}

/// How an index searches.
public enum IndexKind: String, Hashable, Codable, Sendable, CaseIterable {
    /// A scan of all vectors.
    case exact
    /// Lists of bytes: 4 times smaller than the vectors, 68 bytes at 64 dimensions.
    case bytes = "ivf-int8"
    /// Lists of 4-bit codes of the residuals, 16 bytes at 64 dimensions; bytes and vectors for the second and third look.
    case codes = "ivf-pq"
}

/// What is greatest of the vectors found.
public enum IndexMetric: String, Hashable, Codable, Sendable, CaseIterable {
    case innerProduct = "inner-product"
    /// The inner product of unit vectors: the build and the search bring vectors and queries to unit length.
    case cosine
}
