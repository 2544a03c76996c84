import Catalog
import Evaluation
import Features
import Kernels
import Models
import Ranking

/// Trains the ranker, then the pre-ranker, which may learn from it: each on the rows before the split, evaluated on those after
/// it, then trained on these too, once.
struct RankersTraining {
    /// With sampled negatives, where it has none of its own.
    let dataset: Dataset
    let split: TimeSplit
    let inputs: ModelInputs
    let options: TrainingOptions
    let progress: TrainingProgress

    struct Output {
        var preRanker: PreRankerTraining
        /// The state of the log after its last row.
        var preRankerEnd: Replay
        /// nil when the specification has it off.
        var ranker: TrainedRanker?
        /// Both as they stood at the split; nil without a ranker, and when nothing was held back.
        var evaluated: Ranker?
    }

    /// - Parameter report: gets the evaluation, the losses and the times.
    func run(_ report: inout TrainingReport) throws -> Output {
        let trained = try trainRanker(&report)
        return try trainPreRanker(trained, &report)
    }

    /// Of the split, milliseconds since 1970.
    private var moment: Int64 { dataset.exposures.times[split.held.lowerBound] }

    /// Rows that precisions are chosen with.
    private static let precisionRows = 12_000

    private var fitting: SplitFitting {
        SplitFitting(dataset: dataset, split: split, inputs: inputs, options: options, progress: progress)
    }

    private struct Trained {
        var ranker: TrainedRanker
        /// As it stood at the split.
        var stage: RankingModel?
        /// By row of the log, the probability of a click; empty unless the pre-ranker is to learn from it.
        var teacher: [Float]
    }

    private func trainRanker(_ report: inout TrainingReport) throws -> Trained? {
        let specification = inputs.specification.ranker
        guard specification.enabled else { return nil }
        let start = ContinuousClock.now
        defer { report.seconds["ranker"] = seconds(ContinuousClock.now - start) }
        progress.begin("ranker")
        let (run, fit) = try fitting.ranker(specification)
        report.losses["ranker"] = fit.losses
        report.losses["ranker, validated rows"] = fit.validationLosses
        guard !split.held.isEmpty else {
            progress.end("trained")
            let teacher = taught(run, held: nil)
            let examples = run.examples(split.training, from: nil, count: TrainedRanker.goldenRows)
            return Trained(
                ranker: TrainedRanker(run, end: fit.end, choice: nil, examples: examples, &report), stage: nil,
                teacher: teacher)
        }
        let predicted = run.predictions(split.held, from: fit.end)
        let figures = run.figures(predicted, split: split, dataset: dataset)
        report.ranker = figures
        progress.end(figures.line)
        let stage = try run.stage(from: fit.end, until: moment)
        let teacher = taught(run, held: predicted.live)
        progress.begin("ranker, precisions")
        let examples = run.examples(split.held, from: fit.end, count: Self.precisionRows)
        let choice = try run.choosePrecisions(examples)
        progress.end(choice?.line ?? "float32")
        progress.begin("ranker, last rows")
        let end = try run.goOn(split.held, predicted: predicted.raw, from: fit.end)
        progress.end("\(split.held.count) rows")
        return Trained(
            ranker: TrainedRanker(run, end: end, choice: choice, examples: examples, &report), stage: stage,
            teacher: teacher)
    }

    /// What the ranker says of every trial, of the held-back rows before it was trained on them.
    private func taught(_ run: RankerRun, held: RankerPredictions?) -> [Float] {
        guard inputs.specification.threeTower.distillation > 0,
            let click = run.net.heads.firstIndex(where: { $0.name == "click" })
        else { return [] }
        progress.begin("ranker, as a teacher")
        var teacher = [Float](repeating: .nan, count: dataset.exposures.count)
        for predictions in [run.predictionsOfTraining(split.training), held].compactMap({ $0 }) {
            for (row, value) in zip(predictions.rows, predictions.heads[click]) { teacher[Int(row)] = value }
        }
        progress.end("\(split.training.count) rows")
        return teacher
    }

    private func trainPreRanker(_ trained: Trained?, _ report: inout TrainingReport) throws -> Output {
        let start = ContinuousClock.now
        progress.begin("pre-ranker")
        let (training, fitted) = try fitting.preRanker(teacher: trained?.teacher ?? [])
        var replay = fitted.end
        report.losses["preRanker"] = fitted.losses
        report.losses["preRanker, validated rows"] = fitted.validationLosses
        report.ranking = RankingEvaluation(
            dataset: dataset, split: split, training: training, replay: replay
        ).figures()
        progress.end(report.rankingLine ?? "trained")
        let evaluated = try trained?.stage.map { try ranker(training, replay, $0) }
        progress.begin("pre-ranker, last rows")
        replay = try training.fit(split.held, epochs: 1, from: replay).end
        replay.advance(to: dataset.exposures.count)
        report.seconds["preRanker"] = seconds(ContinuousClock.now - start)
        progress.end("\(split.held.count) rows")
        return Output(
            preRanker: training, preRankerEnd: replay, ranker: trained?.ranker, evaluated: evaluated)
    }

    /// Both stages as a ranker would run them, made of what is known at the split.
    private func ranker(_ training: PreRankerTraining, _ replay: Replay, _ stage: RankingModel) throws -> Ranker {
        let file = try RecallComponents.opened(
            ModelComponents.preRank(
                inputs.preRankerDescription, model: training.model, parameters: training.parameters,
                users: dataset.users, columns: inputs.columns, statistics: replay.statistics,
                dataUntil: moment))
        let preRanker = try PreRanker(file, items: dataset.items)
        return try Ranker(preRanker, stage: stage)
    }
}
