import Kernels

/// How an index is built.
public struct VectorIndexOptions: Hashable, Sendable {
    /// Share of the true best that a search must find, 0...1; a build that stays below fails.
    public var targetRecall = 0.95
    /// How many of the best the recall is counted over.
    public var recallDepth = 100
    /// Up to this many vectors are scanned one and all: 2 MB at 64-d, about 50 microseconds.
    public var exactMax = 8_192
    /// Nil: 4 sqrt(n).
    public var lists: Int?
    /// Lists searched per query. Nil: as few as reach the target.
    public var probes: Int?
    /// k-means sees at most this many vectors a list.
    public var sampleMax = 64
    public var iterations = 10
    public var seed: UInt64 = 1
    public var threads = Threads.all.count

    public init() {}

    func check() throws(VectorIndexError) {
        let faults = [
            (0...1).contains(targetRecall) ? nil : "targetRecall must be 0...1, not \(targetRecall)",
            recallDepth > 0 ? nil : "recallDepth must be positive, not \(recallDepth)",
            (lists ?? 1) > 0 ? nil : "lists must be positive, not \(lists ?? 0)",
            (probes ?? 1) > 0 ? nil : "probes must be positive, not \(probes ?? 0)",
            sampleMax > 0 ? nil : "sampleMax must be positive, not \(sampleMax)",
            iterations > 0 ? nil : "iterations must be positive, not \(iterations)",
        ]
        if let fault = faults.lazy.compactMap({ $0 }).first { throw VectorIndexError(.invalidInput, fault) }
    }
}
