public import Catalog
import Evaluation
import Features
import Kernels
import Models
import Networks

/// Compares rankers on a data set without making a snapshot: each is trained on the log up to a moment and asked about what
/// came after it.
public struct RankingTrial {
    private let dataset: Dataset
    private let split: TimeSplit
    private let inputs: ModelInputs
    private let options: TrainingOptions
    private let progress: TrainingProgress

    /// What can be compared.
    public enum Model: String, CaseIterable, Sendable {
        /// Rates of item, user and surface, and nothing else.
        case rates
        case logistic
        /// DCN V2 alone.
        case dcn
        case preRanker = "pre-ranker"
        /// As the specification says.
        case ranker
    }

    /// - Throws: `TrainingError.invalidInput` when there is nothing to learn from or to ask about.
    public init(
        _ dataset: Dataset, fraction: Double, options: TrainingOptions, progress: TrainingProgress
    ) throws(TrainingError) {
        try options.validate()
        try ModelInputs.check(dataset)
        self.options = options
        self.progress = progress
        self.dataset = NegativeSampling(seed: options.seed).apply(dataset)
        split = TimeSplit(exposures: self.dataset.exposures, fraction: fraction)
        guard !split.training.isEmpty, !split.held.isEmpty else {
            throw TrainingError(
                .invalidInput, "data set \"\(dataset.name)\": nothing to learn from, or nothing held back")
        }
        inputs = ModelInputs(dataset, sampled: self.dataset, rows: split.training, options: options)
    }

    /// Trains and measures models.
    public func run(_ models: [Model]) throws -> RankingTrialReport {
        let own = inputs.specification.ranker
        var entries: [RankingTrialReport.Entry] = []
        for model in models {
            switch model {
            case .rates, .preRanker: continue
            case .logistic: entries.append(try measured("logistic regression", RankingVariants.logistic(own)))
            case .dcn: entries.append(try measured("DCN V2", RankingVariants.dcn(own)))
            case .ranker: entries.append(try measured("ranker", own))
            }
        }
        if models.contains(.preRanker) { entries.insert(try preRanker(), at: 0) }
        if models.contains(.rates) { entries.insert(try rates(), at: 0) }
        return report(entries)
    }

    /// Trains and measures the ranker with each of its blocks on and off, all by one seed.
    public func ablation() throws -> RankingTrialReport {
        report(
            try RankingVariants.ablation(inputs.specification.ranker).map { variant in
                try measured(variant.name, variant.specification)
            })
    }

    private func measured(_ name: String, _ specification: RankingSpecification) throws -> RankingTrialReport.Entry {
        let start = ContinuousClock.now
        progress.begin(name)
        let run = try makeRun(specification)
        let fit = try run.fit(split.training, validated: validated)
        let predicted = run.predictions(split.held, from: fit.end)
        let evaluation = RankerEvaluation(log: dataset.exposures, heads: run.net.heads)
        func figures(_ predictions: RankerPredictions) -> ModelFigures {
            evaluation.figures(name, predictions, fused: run.fused(predictions))
        }
        let entry = RankingTrialReport.Entry(
            frozen: figures(predicted.frozen), liveUsers: figures(predicted.liveUsers), live: figures(predicted.live),
            validationLosses: fit.validationLosses, parameters: run.makingFigures(nil).parameters,
            operations: run.makingFigures(nil).operations, seconds: seconds(ContinuousClock.now - start))
        progress.end(entry.line)
        return entry
    }

    private func makeRun(_ specification: RankingSpecification) throws -> RankerRun {
        try RankerRun(
            specification, dataset, base: inputs.encoder, rows: split.training, options: options, progress: progress)
    }

    private var validated: Range<Int> {
        TimeSplit(
            exposures: dataset.exposures, rows: split.training, fraction: TrainingPipeline.validatedFraction
        ).held
    }

    /// The rate model's figures; they are the same whatever follows the split.
    private func rates() throws -> RankingTrialReport.Entry {
        let run = try makeRun(RankingVariants.logistic(inputs.specification.ranker))
        var trials = RankerPredictions()
        trials.rows = split.held.filter(dataset.exposures.isTrial).map(UInt32.init)
        let figures = run.rateModel(trials, split: split, dataset: dataset)
        return RankingTrialReport.Entry(
            frozen: figures, liveUsers: figures, live: figures, validationLosses: [], parameters: 0, operations: 0,
            seconds: 0)
    }

    private func preRanker() throws -> RankingTrialReport.Entry {
        let start = ContinuousClock.now
        progress.begin("pre-ranker")
        let training = try PreRankerTraining(
            inputs.specification.threeTower, sizes: inputs.sizes,
            clickLogOdds: inputs.encoder.description.priors.user.logOdds, log: dataset.exposures,
            columns: inputs.columns, options: options, progress: progress)
        let fit = try training.fit(
            split.training, validated: validated, epochs: options.preRankerEpochs,
            from: Replay(dataset: dataset, encoder: inputs.encoder))
        var end = fit.end
        end.advance(to: split.training.upperBound)
        let evaluation = RankerEvaluation(log: dataset.exposures, heads: [RankerHead("click", .binary)])
        func figures(_ updates: Replay.Updates) -> ModelFigures {
            let predictions = training.predictions(split.held, from: end, updates: updates)
            return evaluation.figures("pre-ranker", predictions, fused: predictions.heads[0])
        }
        let entry = RankingTrialReport.Entry(
            frozen: figures([]), liveUsers: figures(.users), live: figures(.all),
            validationLosses: fit.validationLosses, parameters: training.parameters.count, operations: 0,
            seconds: seconds(ContinuousClock.now - start))
        progress.end(entry.line)
        return entry
    }

    private func report(_ entries: [RankingTrialReport.Entry]) -> RankingTrialReport {
        RankingTrialReport(
            data: dataset.name, seed: options.seed,
            trainingRows: split.training.count { dataset.exposures.isTrial($0) },
            heldRows: split.held.count { dataset.exposures.isTrial($0) }, models: entries)
    }
}

extension PreRankerTraining {
    /// What the model predicts of the trials among `rows`: one head, the click.
    func predictions(_ rows: Range<Int>, from replay: Replay, updates: Replay.Updates) -> RankerPredictions {
        var replay = replay
        var result = RankerPredictions(heads: 1)
        for piece in rows.pieces(of: Fitting.stretch) {
            let table = replay.examples(
                piece, crossFeatures: model.specification.cross, updates: updates, where: log.isTrial)
            result.heads[0] += probabilities(table)
            result.labels[0] += table.outcomes.map { $0.isClick ? 1 : 0 }
            result.rows += table.rows
        }
        return result
    }
}
