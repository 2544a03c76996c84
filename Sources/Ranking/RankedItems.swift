public import Catalog

/// A ranker's answer. The arrays of items are parallel, best first, ties by ascending key.
public struct RankedItems: Hashable, Sendable {
    public var items: [ItemKey] = []
    /// Fused scores.
    public var scores: [Float] = []
    /// What is predicted: columns of `predictions`.
    public var heads: [String] = []
    /// `[items, heads]`, row-major: probabilities, seconds of watch times.
    public var predictions: [Float] = []
    public var preRankScores: [Float] = []
    /// Among all candidates that were scored, from 1.
    public var preRankPositions: [UInt32] = []
    /// What the score is made of; empty unless it was asked for.
    public var terms: [String] = []
    /// `[items, terms]`: what each term read, and what it came to.
    public var termValues: [Float] = []
    public var termContributions: [Float] = []
    public var towers = TowerCounts()
    /// Candidates the snapshot does not know; they are not in the answer.
    public var unknownItems = 0
    /// Candidates that the pre-ranker scored, and that came through the cut.
    public var preRanked = 0
    public var kept = 0
    /// Kept candidates of each channel of the request.
    public var keptByChannel: [UInt32] = []
    /// Whether a ranking model scored them; scores and predictions are the pre-ranker's otherwise.
    public var isRanked = false
    /// Why fewer candidates than asked for were scored; nil when all were.
    public var shortage: String?

    public init() {}

    /// What a head predicts of each item, `[items]`; nil without the head.
    public func predictions(of head: String) -> [Float]? {
        heads.firstIndex(of: head).map { column in
            items.indices.map { predictions[$0 * heads.count + column] }
        }
    }
}

/// What the stages of one request took.
public struct RankingTimes: Hashable, Sendable {
    public var preRank: Duration = .zero
    public var rank: Duration = .zero

    public init() {}
}

/// How often each tower of the pre-ranker ran for one request.
public struct TowerCounts: Hashable, Sendable {
    public var user = 0
    public var item = 0
    public var cross = 0
    public var head = 0

    public init() {}
}
