public import Features
public import Kernels
public import Networks

extension RankerModel {
    /// A batch's loss: `sum over heads of weight * loss`.
    public struct Loss: Sendable {
        public var total: Tensor
        /// By head, unweighted.
        public var heads: [Tensor]
    }

    /// The loss of every head, each the mean over the rows that tell of it, and their weighted sum.
    ///
    /// A head given another counts the rows with the other's event only; rows kept of more, by negative down-sampling, count
    /// for all of them at heads that do not correct for it.
    public func loss(
        _ inputs: RankerInputs, _ labels: RankerLabels, on tape: Tape, statistics: GateStatistics? = nil
    ) -> Loss {
        loss(logits: self(inputs, in: tape, statistics: statistics), labels, on: tape)
    }

    /// The loss of logits; see `loss(_:_:on:statistics:)`.
    public func loss(logits: [Tensor], _ labels: RankerLabels, on tape: Tape) -> Loss {
        precondition(labels.values.count == specification.heads.count, "labels for every head")
        let losses = zip(specification.heads, zip(logits, labels.values)).map { head, row in
            let weights = weights(of: head, labels)
            return switch head.kind {
            case .binary, .finish: tape.sigmoidCrossEntropy(row.0, labels: row.1, weights: weights)
            case .finishAbove:
                tape.sigmoidCrossEntropy(
                    row.0, labels: row.1.map { $0 > head.threshold ? 1 : 0 }, weights: weights)
            case .watchTime: tape.watchTimeLoss(row.0, seconds: row.1, weights: weights)
            }
        }
        let weighted = zip(specification.heads, losses).map { head, loss in
            head.weight == 1 ? loss : tape.scale(loss, by: head.weight)
        }
        return Loss(total: weighted.dropFirst().reduce(weighted[0]) { tape.add($0, $1) }, heads: losses)
    }

    /// Weights of the rows at a head; nil when all count alike.
    private func weights(of head: RankerHead, _ labels: RankerLabels) -> [Float]? {
        if let given = head.given, let condition = specification.heads.firstIndex(where: { $0.name == given }) {
            let weights = labels.values[condition].map { $0 > 0 ? Float(1) : 0 }
            // Rows with the event by which is sampled are all there.
            guard given != specification.negatives?.head, let counts = importance(labels) else { return weights }
            return zip(weights, counts).map { $0 * $1 }
        }
        return head.name == specification.negatives?.head ? nil : importance(labels)
    }

    /// How many rows each stands for.
    private func importance(_ labels: RankerLabels) -> [Float]? {
        guard let negatives = specification.negatives, negatives.rate < 1,
            let head = specification.heads.firstIndex(where: { $0.name == negatives.head })
        else { return nil }
        return labels.values[head].map { $0 > 0 ? 1 : 1 / negatives.rate }
    }

    /// What a head's logits say: a probability, a played fraction, or seconds; corrected for negative down-sampling.
    ///
    /// - Parameter head: its place.
    public func predictions(_ logits: Tensor, head: Int) -> [Float] {
        let own = specification.heads[head]
        let correction = own.name == specification.negatives?.head ? specification.negatives : nil
        return logits.withUnsafeBufferPointer { values in
            values.map { own.kind.prediction($0) }.map { correction?.corrected($0) ?? $0 }
        }
    }
}

extension RankerHead.Kind {
    /// What a logit says.
    public func prediction(_ logit: Float) -> Float {
        switch self {
        case .binary, .finish, .finishAbove: sigmoid(logit)
        // The odds of p are the expected seconds (Covington et al., RecSys 2016).
        case .watchTime: exponential(min(logit, Self.logitMax))
        }
    }

    /// e^20 seconds are 15 years.
    private static let logitMax: Float = 20
}

extension RankerNegatives {
    /// Whether training keeps a row.
    public func keeps(isPositive: Bool, using generator: inout SeededGenerator) -> Bool {
        isPositive || generator.uniform() < rate
    }

    /// The probability among all rows, of one among those that were kept: `r p / ((1 - p) + r p)` (He et al., ADKDD 2014).
    public func corrected(_ p: Float) -> Float {
        rate * p / ((1 - p) + rate * p)
    }
}
