public import Catalog
public import Features
public import Models

/// A ranking model as the ranker runs it: what it predicts of one user's candidates, calibrated.
///
/// Any number of requests may run at once.
public protocol RankingStage: Sendable {
    /// Columns of the predictions.
    var heads: [String] { get }
    /// By head, how often items of a length are finished.
    var finishRates: [String: FinishRate] { get }

    /// What it reads of what happened since its snapshot; nil when it reads none.
    var statistics: LiveStatistics? { get }

    /// How often its features had values; empty when it has none.
    var features: [FeatureStanding] { get }

    /// - Parameter predictions: `[candidates, heads]`, row-major, overwritten: probabilities, and seconds for watch times.
    func predict(
        _ state: UserState, _ scene: Scene, _ candidates: [RankingCandidate],
        into predictions: UnsafeMutableBufferPointer<Float>)
}

extension RankingStage {
    public var statistics: LiveStatistics? { nil }
    public var features: [FeatureStanding] { [] }
}
