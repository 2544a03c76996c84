public import Features
import Synchronization

/// How often a feature had a value, when a model was trained and as it is served.
public struct FeatureStanding: Sendable {
    public var name: String
    public var training: FeatureCoverage
    public var serving: FeatureCoverage
    /// That were counted.
    public var requests: Int

    /// Population stability index; nil before ``FeatureCoverage/driftValuesMin`` requests were counted. The values of one
    /// request hang together, hundreds of candidates of one user at one moment: they tell of drift no more than one does.
    public var drift: Double? {
        requests >= FeatureCoverage.driftValuesMin ? training.drift(to: serving) : nil
    }
}

/// Counts the features of some of the requests: of the first one, then of one in so many.
final class FeatureObservation: Sendable {
    private struct State {
        var requests = 0
        /// Of them, those that were counted.
        var counted = 0
        /// In the schema's order; empty before the first request.
        var coverage: [FeatureCoverage] = []
    }

    private static let requestsPerObserved = 64

    private let fitted: FittedFeatures
    private let state = Mutex(State())

    init(_ fitted: FittedFeatures) {
        self.fitted = fitted
    }

    /// - Returns: whether this request is one of those that are counted.
    func begins(_ workspace: RankingWorkspace) -> Bool {
        let isObserved = state.withLock { state in
            defer { state.requests += 1 }
            return state.requests % Self.requestsPerObserved == 0
        }
        if isObserved { workspace.request.counter = FeatureCounter(fitted.schema, like: fitted.coverage) }
        return isObserved
    }

    func end(_ workspace: RankingWorkspace) {
        guard let counter = workspace.request.counter else { return }
        workspace.request.counter = nil
        state.withLock { state in
            counter.move(to: &state.coverage)
            state.counted += 1
        }
    }

    var standings: [FeatureStanding] {
        let (coverage, counted) = state.withLock { ($0.coverage, $0.counted) }
        return fitted.schema.features.enumerated().compactMap { index, feature in
            guard let training = fitted.coverage[feature.name] else { return nil }
            return FeatureStanding(
                name: feature.name, training: training,
                serving: index < coverage.count ? coverage[index] : training.emptied(), requests: counted)
        }
    }
}
