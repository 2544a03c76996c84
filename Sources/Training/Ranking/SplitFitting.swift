import Catalog
import Evaluation
import Features
import Models

/// Fits rankers and pre-rankers to the rows before a split, with early stopping by the last of them.
struct SplitFitting {
    /// With sampled negatives, where it has none of its own.
    let dataset: Dataset
    let split: TimeSplit
    let inputs: ModelInputs
    let options: TrainingOptions
    let progress: TrainingProgress

    /// - Returns: the run, and the state of the log at the split.
    func ranker(_ specification: RankingSpecification) throws -> (run: RankerRun, fit: RankingTraining.Fit) {
        let run = try RankerRun(
            specification, dataset, base: inputs.encoder, rows: split.training, options: options, progress: progress)
        return (run, try run.fit(split.training, validated: validated))
    }

    /// - Parameter teacher: By row of the log, what the ranker says of a click; empty without it.
    /// - Returns: the training, and the state of the log at the split.
    func preRanker(teacher: [Float] = []) throws -> (training: PreRankerTraining, fit: PreRankerTraining.Fit) {
        let training = try PreRankerTraining(
            inputs.specification.threeTower, sizes: inputs.sizes,
            clickLogOdds: inputs.encoder.description.priors.user.logOdds, log: dataset.exposures,
            columns: inputs.columns, teacher: teacher, options: options, progress: progress)
        var fit = try training.fit(
            split.training, validated: validated, epochs: options.preRankerEpochs,
            from: Replay(dataset: dataset, encoder: inputs.encoder))
        fit.end.advance(to: split.training.upperBound)
        return (training, fit)
    }

    /// Rows that tell when to stop: the last that are trained on.
    private var validated: Range<Int> {
        TimeSplit(
            exposures: dataset.exposures, rows: split.training, fraction: TrainingPipeline.validatedFraction
        ).held
    }
}
