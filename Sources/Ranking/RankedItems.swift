public import Catalog

/// A ranker's answer: the arrays are parallel, best first, ties by ascending key.
public struct RankedItems: Hashable, Sendable {
    public var items: [ItemKey] = []
    /// Fused scores.
    public var scores: [Float] = []
    public var clickProbabilities: [Float] = []
    /// Expected seconds of watching.
    public var watchSeconds: [Float] = []
    public var towers = TowerCounts()
    /// Candidates the snapshot does not know; they are not in the answer.
    public var unknownItems = 0

    public init() {}
}

/// How often each tower ran for one request.
public struct TowerCounts: Hashable, Sendable {
    public var user = 0
    public var item = 0
    public var cross = 0
    public var head = 0

    public init() {}
}
