/// How good a model's heads are on trials that it was not trained on. A figure that does not exist for the data is nil.
public struct ModelFigures: Codable, Hashable, Sendable {
    /// `ranker`, `rate model` ...
    public var model: String
    public var heads: [HeadFigures]
    /// NDCG@10 of the fused order within each user's held-back rows; a row's gain is one point each for click, like, collect
    /// and share.
    public var normalizedGain: Double?
}

/// A head on the rows that tell of it.
public struct HeadFigures: Codable, Hashable, Sendable {
    public var head: String
    public var rows: Int
    /// Rows with the event; of a head that predicts an amount, rows with any.
    public var positives: Int
    public var areaUnderCurve: Double?
    /// Of a head that is given another's event: of the product of both, among all rows.
    public var areaAmongAll: Double?
    public var groupedAreaUnderCurve: Double?
    public var logLoss: Double?
    public var calibrationError: Double?
    /// What it would be on average were the predictions exactly right.
    public var calibrationErrorOfChance: Double?
    /// Sum of predictions over the sum of what happened.
    public var calibrationRatio: Double?
    /// Of a head that predicts an amount.
    public var meanAbsoluteError: Double?
}

/// The ranker on the held-back trials of a log.
public struct RankerFigures: Codable, Hashable, Sendable {
    /// Everything as it stood at the split: nothing of the held-back rows is seen.
    public var frozen: [ModelFigures]
    /// User states follow the held-back rows; item statistics stay those of the split.
    public var liveUsers: [ModelFigures]
    /// Item statistics follow too.
    public var live: [ModelFigures]
    /// The ranker's heads by new and known users, head and tail items; live.
    public var segments: [SegmentFigures]
    public var gates: GateFigures?
    public var features: [FeatureFigures]
}

/// How often a feature had a value.
public struct FeatureFigures: Codable, Hashable, Sendable {
    public var feature: String
    /// Share of values that were there and known, among the rows trained on.
    public var coverage: Double?
    /// Share of categories that the model does not know, among those that were there.
    public var unknownShare: Double?
    /// Population stability index of the held-back rows against these: below 0.1 is little, above 0.25 much.
    public var drift: Double?
}

/// A head of the ranker on a part of the rows.
public struct SegmentFigures: Codable, Hashable, Sendable {
    public var segment: String
    public var figures: HeadFigures
}

/// How the gates of experts divide their weight.
public struct GateFigures: Codable, Hashable, Sendable {
    /// By gate: mean entropy over that of equal weights, 0 (one expert alone) to 1.
    public var evenness: [Double]
    /// Mean weights, by gate and expert.
    public var meanWeights: [[Double]]
    /// Experts that no gate uses.
    public var deadExperts: [Int]
}

/// How the ranker was made.
public struct RankerMakingFigures: Codable, Hashable, Sendable {
    /// Heads that were left out, since the log does not have both outcomes.
    public var headsLeftOut: [String]
    public var parameters: Int
    /// Floating-point operations for a candidate.
    public var operations: Int
    /// Layers that are served in bytes, of how many may be, and what that loses of the worst head's AUC.
    public var byteLayers: Int
    public var layers: Int
    public var byteLoss: Double
    /// Heads with a calibrator.
    public var calibrated: [String]
}
