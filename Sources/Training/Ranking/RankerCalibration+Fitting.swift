import Catalog
import Kernels
import Models

extension RankerCalibration {
    /// Fits a calibrator for each head that predicts a probability to rows that were not trained on. A head without both
    /// outcomes has none.
    init(
        _ kind: RankingTrainingSpecification.CalibratorKind, _ predictions: RankerPredictions, _ heads: [RankerHead]
    ) {
        self.init(heads: [:])
        for (place, head) in heads.enumerated() where kind != .none && head.isPositive(0) != nil {
            let rows = predictions.told(head, of: heads)
            let probabilities = rows.map { predictions.heads[place][$0] }
            let labels = rows.map { head.isPositive(predictions.labels[place][$0]) ?? false }
            self.heads[head.name] =
                kind == .platt
                ? Calibrator.platt(probabilities: probabilities, labels: labels)
                : Calibrator.isotonic(probabilities: probabilities, labels: labels)
        }
    }

    /// Fits how often items of a length are finished, for the heads that predict that.
    mutating func fitFinishRates(
        _ predictions: RankerPredictions, _ heads: [RankerHead], _ dataset: Dataset
    ) {
        for (place, head) in heads.enumerated()
        where head.kind == .finish || head.kind == .finishAbove || head.action == .finish {
            let rows = predictions.told(head, of: heads)
            let finished = rows.map { row in
                let label = predictions.labels[place][row]
                return head.isPositive(label).map { $0 ? 1 : 0 } ?? label
            }
            let seconds = rows.map { row in
                dataset.items.durations[Int(dataset.exposures.items[Int(predictions.rows[row])])]
            }
            finishRates[head.name] = FinishRate.fitted(seconds: seconds, finished: finished)
        }
    }
}
