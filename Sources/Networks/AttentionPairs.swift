/// Which keys each query of an attention meets. A pair is a query with one of its keys; the pairs of query i are
/// `offsets[i] ..< offsets[i + 1]`.
public struct AttentionPairs: Sendable, Hashable {
    /// `[queries + 1]`, ascending from 0 to the number of pairs.
    public let offsets: [Int]
    /// Whether all queries meet the same keys: one user's history before many candidates.
    public let isShared: Bool

    /// Every query has keys of its own, laid end to end: pair p is with key p.
    public init(offsets: [Int]) {
        precondition(offsets.first == 0 && zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }, "offsets ascend")
        self.offsets = offsets
        isShared = false
    }

    /// Every query with each of the same keys.
    public init(queries: Int, sharedKeys: Int) {
        precondition(queries >= 0 && sharedKeys >= 0, "counts are not negative")
        offsets = (0...queries).map { $0 * sharedKeys }
        isShared = true
    }

    public var queries: Int { offsets.count - 1 }
    /// Number of pairs.
    public var count: Int { offsets[offsets.count - 1] }
    /// Keys that an operation expects.
    public var keys: Int { isShared ? (queries > 0 ? offsets[1] : 0) : count }
    /// Pairs of a query, about.
    var average: Int { queries > 0 ? max(1, count / queries) : 1 }

    /// Pairs of a query.
    func range(_ query: Int) -> Range<Int> { offsets[query]..<offsets[query + 1] }
    /// Key of the first pair of a query; the others follow.
    func firstKey(_ query: Int) -> Int { isShared ? 0 : offsets[query] }
}
