public import Features
import Synchronization

/// How often a feature had a value, when a model was trained and as it is served.
public struct FeatureStanding: Sendable {
    public var name: String
    public var training: FeatureCoverage
    public var serving: FeatureCoverage

    /// Population stability index; nil before anything was served.
    public var drift: Double? { training.drift(to: serving) }
}

/// Counts the features of some of the requests: of the first one, then of one in so many.
final class FeatureObservation: Sendable {
    private struct State {
        var requests = 0
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
        state.withLock { counter.move(to: &$0.coverage) }
    }

    var standings: [FeatureStanding] {
        let coverage = state.withLock { $0.coverage }
        return fitted.schema.features.enumerated().compactMap { index, feature in
            guard let training = fitted.coverage[feature.name] else { return nil }
            return FeatureStanding(
                name: feature.name, training: training,
                serving: index < coverage.count ? coverage[index] : training.emptied())
        }
    }
}
