public import Catalog
import Evaluation
import Features
import Kernels
import Models
import Networks

/// Compares rankers on a data set without making a snapshot: each is trained on the log up to a moment and asked about what
/// came after it.
public struct RankingTrial {
    private let fitting: SplitFitting

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
        let sampled = NegativeSampling(seed: options.seed).apply(dataset)
        let split = TimeSplit(exposures: sampled.exposures, fraction: fraction)
        guard !split.training.isEmpty, !split.held.isEmpty else {
            throw TrainingError(
                .invalidInput, "data set \"\(dataset.name)\": nothing to learn from, or nothing held back")
        }
        fitting = SplitFitting(
            dataset: sampled, split: split,
            inputs: ModelInputs(dataset, sampled: sampled, rows: split.training, options: options), options: options,
            progress: progress)
    }

    private var dataset: Dataset { fitting.dataset }
    private var split: TimeSplit { fitting.split }
    private var progress: TrainingProgress { fitting.progress }
    private var specification: RankingSpecification { fitting.inputs.specification.ranker }

    /// Trains and measures models.
    ///
    /// - Throws: `TrainingError.invalidInput` when one of them cannot be, before any is trained.
    public func run(_ models: [Model]) throws -> RankingTrialReport {
        if models.contains(.ranker) { try checkEnabled() }
        let variants = models.compactMap { RankingVariants.variant($0, of: specification) }
        for variant in variants { _ = try outline(variant.specification) }
        var entries = try variants.map { try measured($0.name, $0.specification) }
        if models.contains(.preRanker) { entries.insert(try preRanker(), at: 0) }
        if models.contains(.rates) { entries.insert(try rates(), at: 0) }
        return report(entries)
    }

    /// Trains and measures the ranker with each of its blocks on and off, all by one seed. A variant that this net or these
    /// features cannot have is left out, and said to be before any is trained.
    public func ablation() throws -> RankingTrialReport {
        try checkEnabled()
        let fields = try outline(specification).net.fields.map(\.name)
        var variants: [RankingVariants.Variant] = []
        var leftOut: [RankingTrialReport.LeftOut] = []
        for variant in RankingVariants.ablation(specification, fields: fields) {
            do {
                _ = try outline(variant.specification)
                variants.append(variant)
            } catch {
                let reason = String(error.message.trimmingPrefix("--specification: "))
                leftOut.append(RankingTrialReport.LeftOut(variant: variant.name, reason: reason))
                progress.begin(variant.name)
                progress.end("left out: \(reason)")
            }
        }
        return report(try variants.map { try measured($0.name, $0.specification) }, leftOut: leftOut)
    }

    private func outline(_ specification: RankingSpecification) throws(TrainingError) -> RankerOutline {
        try RankerOutline(specification, dataset, rows: split.training)
    }

    private func checkEnabled() throws(TrainingError) {
        guard specification.enabled else {
            throw TrainingError(.invalidInput, "--specification: ranker.enabled is false: there is no ranker to train")
        }
    }

    private func measured(_ name: String, _ specification: RankingSpecification) throws -> RankingTrialReport.Entry {
        let start = ContinuousClock.now
        progress.begin(name)
        let (run, fit) = try fitting.ranker(specification)
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

    /// The rate model's figures; they are the same whatever follows the split.
    private func rates() throws -> RankingTrialReport.Entry {
        let heads = try outline(specification).net.heads
        let figures = RateFigures(dataset: dataset, split: split, heads: heads).figures(
            split.held.filter(dataset.exposures.isTrial).map(UInt32.init))
        return RankingTrialReport.Entry(
            frozen: figures, liveUsers: figures, live: figures, validationLosses: [], parameters: 0, operations: 0,
            seconds: 0)
    }

    private func preRanker() throws -> RankingTrialReport.Entry {
        let start = ContinuousClock.now
        progress.begin("pre-ranker")
        let (training, fit) = try fitting.preRanker()
        let evaluation = RankerEvaluation(log: dataset.exposures, heads: [RankerHead("click", .binary)])
        func figures(_ updates: Replay.Updates) -> ModelFigures {
            let predictions = training.predictions(split.held, from: fit.end, updates: updates)
            return evaluation.figures("pre-ranker", predictions, fused: predictions.heads[0])
        }
        let entry = RankingTrialReport.Entry(
            frozen: figures([]), liveUsers: figures(.users), live: figures(.all),
            validationLosses: fit.validationLosses, parameters: training.parameters.count, operations: 0,
            seconds: seconds(ContinuousClock.now - start))
        progress.end(entry.line)
        return entry
    }

    private func report(
        _ entries: [RankingTrialReport.Entry], leftOut: [RankingTrialReport.LeftOut] = []
    ) -> RankingTrialReport {
        RankingTrialReport(
            data: dataset.name, seed: fitting.options.seed,
            trainingRows: split.training.count { dataset.exposures.isTrial($0) },
            heldRows: split.held.count { dataset.exposures.isTrial($0) }, models: entries, leftOut: leftOut)
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
