import Kernels

/// How an index is built.
public struct VectorIndexOptions: Hashable, Sendable {
    /// Nil: exact up to ``exactMax``, bytes up to ``bytesMax`` or where vectors differ much in length, else codes.
    public var kind: IndexKind?
    public var metric = IndexMetric.innerProduct
    /// Share of the true best that a search must find, 0...1; a build that stays below fails.
    public var targetRecall = 0.95
    /// How many of the best the recall is counted over.
    public var recallDepth = 100
    /// Up to this many vectors are scanned one and all: 2 MB at 64-d, about 50 microseconds.
    public var exactMax = 8_192
    /// Up to this many vectors the lists are of bytes: below it, codes search no faster.
    public var bytesMax = 50_000
    /// Nil: 4 sqrt(n).
    public var lists: Int?
    /// Lists searched per query. Nil: as few as reach the target.
    public var probes: Int?
    /// k-means sees at most this many vectors a list.
    public var sampleMax = 64
    public var iterations = 10
    /// How much more an error along a vector costs its codes than one across it; 1: not more.
    public var eta: Float = 4
    public var seed: UInt64 = 1
    public var threads = Threads.all.count

    public init() {}

    /// The kind of an index of `vectors` `[n, d]`.
    func kind(for vectors: SharedBuffer<Float>, dimension: Int) -> IndexKind {
        let count = vectors.count / dimension
        if let kind { return kind }
        if count <= exactMax { return .exact }
        return count <= bytesMax || Self.lengthsDiffer(vectors, dimension: dimension) ? .bytes : .codes
    }

    /// Codes share their codewords, which then fit the many short vectors and not the few long ones that inner products favour;
    /// bytes have a scale for each vector.
    private static func lengthsDiffer(_ vectors: SharedBuffer<Float>, dimension: Int) -> Bool {
        let count = vectors.count / dimension
        var (sum, squares, taken) = (0.0, 0.0, 0.0)
        for row in stride(from: 0, to: count, by: max(1, count / 10_000)) {
            let square = Double(
                kernels.dot(vectors.address + row * dimension, vectors.address + row * dimension, count: dimension))
            (sum, squares, taken) = (sum + square.squareRoot(), squares + square, taken + 1)
        }
        let mean = sum / taken
        return squares / taken - mean * mean > lengthSpreadMax * lengthSpreadMax * mean * mean
    }

    /// Standard deviation of the lengths, as a share of their mean, up to which codes serve.
    private static let lengthSpreadMax = 0.3

    func check() throws(VectorIndexError) {
        let faults = [
            (0...1).contains(targetRecall) ? nil : "targetRecall must be 0...1, not \(targetRecall)",
            recallDepth > 0 ? nil : "recallDepth must be positive, not \(recallDepth)",
            (lists ?? 1) > 0 ? nil : "lists must be positive, not \(lists ?? 0)",
            (probes ?? 1) > 0 ? nil : "probes must be positive, not \(probes ?? 0)",
            sampleMax > 0 ? nil : "sampleMax must be positive, not \(sampleMax)",
            iterations > 0 ? nil : "iterations must be positive, not \(iterations)",
            (1...1_000).contains(eta) ? nil : "eta must be 1...1000, not \(eta)",
        ]
        if let fault = faults.lazy.compactMap({ $0 }).first { throw VectorIndexError(.invalidInput, fault) }
    }
}
