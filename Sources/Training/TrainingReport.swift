public import VectorIndex

/// What a training run measured; travels as JSON in the snapshot's manifest. Rates and areas are shares, 0...1.
public struct TrainingReport: Codable, Hashable, Sendable {
    public var data: DataFigures
    /// Nil when nothing was held back.
    public var ranking: RankingFigures?
    public var recall: RecallFigures?
    /// How the recall channels were built, by trainer: caps, lengths, counts.
    public var recallComponents: [String: [String: Double]]
    /// By kind of component, in shard order: kind, lists searched, and the measured share of the true best that a search
    /// finds.
    public var vectorIndexes: [String: [IndexReport]]
    public var losses: [String: [Double]]
    /// Seconds by step.
    public var seconds: [String: Double]
    /// Sentences a reader of the figures must know.
    public var notes: [String]
}

/// What was trained on.
public struct DataFigures: Codable, Hashable, Sendable {
    public var name: String
    public var users: Int
    public var items: Int
    public var rows: Int
    public var clicks: Int
    /// Rows that rates and the pre-ranker learn from.
    public var trials: Int
    /// Of them, rows that were drawn rather than logged.
    public var sampledNegatives: Int
    /// Rows at or after this time (milliseconds since 1970) were held back for the evaluation.
    public var splitMilliseconds: Int64
    public var heldRows: Int
}

/// The pre-ranker beside the no-learning rate model, on the held-back trials.
public struct RankingFigures: Codable, Hashable, Sendable {
    /// Features as they stood at the split, for both: nothing of the held-back rows is seen.
    public var frozen: Comparison
    /// User states follow the held-back rows, as they do in serving; item statistics stay those of the split.
    public var live: Comparison

    public struct Comparison: Codable, Hashable, Sendable {
        public var preRanker: ClickFigures
        public var rateModel: ClickFigures
    }
}

/// Quality of click probabilities. A figure that does not exist for the data is nil.
public struct ClickFigures: Codable, Hashable, Sendable {
    public var rows: Int
    public var clicks: Int
    public var areaUnderCurve: Double?
    public var groupedAreaUnderCurve: Double?
    public var logLoss: Double?
    public var calibrationError: Double?
    /// Sum of probabilities over clicks.
    public var calibrationRatio: Double?
}

/// How much of what users clicked after the split the channels find before it, among items not shown to them before.
public struct RecallFigures: Codable, Hashable, Sendable {
    /// Candidates per channel.
    public var depth: Int
    /// Users with something to find.
    public var users: Int
    /// Mean items to find per user.
    public var itemsPerUser: Double
    public var channels: [ChannelFigures]
    /// All channels' candidates together.
    public var union: ChannelFigures
}

public struct ChannelFigures: Codable, Hashable, Sendable {
    public var channel: String
    /// Means over users.
    public var recall: Double
    public var hitRate: Double
    public var normalizedGain: Double?
    public var candidates: Double
}
