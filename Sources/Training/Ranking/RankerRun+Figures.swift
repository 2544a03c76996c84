import Catalog
import Evaluation
import Features
import Inference
import Kernels
import Models
import Networks
import Ranking

extension RankerRun {
    /// The ranker on held-back rows, beside the rate model fitted on the rows before.
    ///
    /// - Parameters:
    ///   - predicted: of `split.held`.
    ///   - dataset: the one that was trained on.
    func figures(
        _ predicted: HeldPredictions, split: TimeSplit, dataset: Dataset
    ) -> RankerFigures {
        let evaluation = RankerEvaluation(log: dataset.exposures, heads: net.heads)
        func own(_ predictions: RankerPredictions) -> ModelFigures {
            evaluation.figures("ranker", predictions, fused: fused(predictions))
        }
        let rates = RateFigures(dataset: dataset, split: split, heads: net.heads).figures(predicted.frozen.rows)
        return RankerFigures(
            frozen: [own(predicted.frozen), rates],
            liveUsers: [own(predicted.liveUsers)], live: [own(predicted.live)],
            segments: evaluation.segments(predicted.live, training: split.training, items: dataset.items.count),
            gates: predicted.gates.map(GateFigures.init),
            features: featureFigures(predicted.counter))
    }

    /// What rows would be ordered by: the standard formula, as far as the model has its heads.
    func fused(_ predictions: RankerPredictions) -> [Float]? {
        let names = net.heads.map(\.name)
        guard let formula = try? FusionFormula(.standard(for: names), heads: names, of: "the ranker") else {
            return nil
        }
        let scratch = FusionScratch()
        let rows = predictions.rows.indices.flatMap { row in predictions.heads.map { $0[row] } }
        rows.withUnsafeBufferPointer {
            formula.score(
                FusionCandidates(keys: predictions.rows.map { ItemKey(rawValue: UInt64($0)) }, predictions: $0),
                in: scratch)
        }
        return Array(scratch.scores)
    }

    private func featureFigures(_ held: FeatureCounter) -> [FeatureFigures] {
        let coverage = held.coverage
        return encoder.fitted.schema.features.map { feature in
            let training = encoder.fitted.coverage[feature.name]
            return FeatureFigures(
                feature: feature.name, coverage: training?.coverage, unknownShare: training?.unknownShare,
                drift: coverage[feature.name].flatMap { training?.drift(to: $0) })
        }
    }

    /// How the model was made.
    func makingFigures(_ choice: PrecisionChoice?) -> RankerMakingFigures {
        RankerMakingFigures(
            headsLeftOut: headsLeftOut, parameters: training.model.costs.reduce(0) { $0 + $1.parameters },
            operations: training.model.costs.reduce(0) { $0 + $1.operations },
            byteLayers: choice?.precisions.values.count { $0 == .int8 } ?? 0,
            layers: choice?.precisions.count ?? 0,
            byteLoss: choice?.loss ?? 0, calibrated: calibration.heads.keys.sorted())
    }
}
