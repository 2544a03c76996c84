import Catalog
import Evaluation
import Features
import Kernels
import Models
import Ranking
import Recall
import Snapshots

/// Trains every recall channel: on the log up to the split, which is evaluated, then on the whole log, which is shipped.
final class RecallTraining {
    private let dataset: Dataset
    private let inputs: ModelInputs
    private let options: TrainingOptions
    private let progress: TrainingProgress
    private let trainers: [any RecallTrainer]
    /// Channels that are evaluated, in the trainers' order.
    private let channels: [String]
    private var replay: Replay

    /// - Parameter channels: those to make; nil: all but those that the specification has off.
    init(
        _ dataset: Dataset, inputs: ModelInputs, options: TrainingOptions, progress: TrainingProgress,
        channels: [String]? = nil
    ) throws(TrainingError) {
        self.dataset = dataset
        self.inputs = inputs
        self.options = options
        self.progress = progress
        replay = Replay(dataset: dataset, encoder: inputs.recallEncoder)
        (trainers, self.channels) = try Self.trainers(inputs, channels: channels)
    }

    private static func trainers(
        _ inputs: ModelInputs, channels: [String]?
    ) throws(TrainingError) -> ([any RecallTrainer], channels: [String]) {
        let recall = inputs.specification.recall
        let all: [any RecallTrainer] = [
            TwoTowerTrainer(inputs.specification.twoTower, sizes: inputs.sizes, start: inputs.continued),
            SimilarityTrainer.itemCF(recall.itemCF), SimilarityTrainer.swing(recall.swing),
            UserCFTrainer(recall.userCF), MatrixCompletionTrainer(recall.als),
            TriggerListTrainer.sequence(recall.sequence), RankedListTrainer(), NewItemTrainer(), PlaceTrainer(),
            AuthorTrainer(), DeepRetrievalTrainer(recall.deepRetrieval, sizes: inputs.sizes),
            TriggerListTrainer.markov(), TriggerListTrainer.ease(recall.ease),
        ]
        let known = all.flatMap(\.channels)
        for (source, names) in [("--channels", channels ?? []), ("--specification: recall.off", recall.off)] {
            for name in names where !known.contains(name) {
                throw TrainingError(
                    .invalidInput, "\(source): unknown channel \"\(name)\"; known: \(known.joined(separator: ", "))")
            }
        }
        let wanted = known.filter { channels?.contains($0) ?? !recall.off.contains($0) }
        return (all.filter { !Set(wanted).isDisjoint(with: $0.channels) }, wanted)
    }

    /// What came of all trainers for the whole log.
    struct Output {
        /// In the trainers' order.
        var components: [(trainer: String, components: RecallComponents)]
        /// `[U]`, user states after the last row.
        var states: [UserState]
    }

    /// - Parameters:
    ///   - ranker: As it stood at the split, to follow later clicks through the whole funnel; nil leaves that out.
    ///   - report: gets the evaluation, the losses and the times.
    func run(_ split: TimeSplit, ranker: Ranker? = nil, _ report: inout TrainingReport) throws -> Output {
        if !split.held.isEmpty {
            let held = split.held.filter { Actions(rawValue: dataset.exposures.actions[$0]).contains(.click) }
            let log = log(
                rows: split.training, until: dataset.exposures.times[split.held.lowerBound], isEvaluated: true)
            report.recall = try evaluate(
                log, held: held, training: Array(split.training), exposures: dataset.exposures,
                usersMax: RecallEvaluation.usersMax, ranker: ranker, &report)
        }
        let whole = log(rows: 0..<dataset.exposures.count, until: nil, isEvaluated: false)
        let components = try train(on: whole, step: { split.held.isEmpty ? $0 : "\($0), whole log" }, &report)
        return Output(components: components, states: whole.states)
    }

    /// Trains on the whole data set and evaluates on clicks that it does not have.
    ///
    /// - Parameters:
    ///   - held: rows of `exposures`, a log that the data set is a part of: its rows `training`.
    ///   - report: gets the losses and the times.
    func evaluate(
        held: [Int], training: [Int], exposures: ExposureTable, usersMax: Int, _ report: inout TrainingReport
    ) throws -> RecallFigures? {
        try evaluate(
            log(rows: 0..<dataset.exposures.count, until: nil, isEvaluated: true), held: held, training: training,
            exposures: exposures, usersMax: usersMax, ranker: nil, &report)
    }

    private func evaluate(
        _ log: RecallLog, held: [Int], training: [Int], exposures: ExposureTable, usersMax: Int, ranker: Ranker?,
        _ report: inout TrainingReport
    ) throws -> RecallFigures? {
        let components = try train(on: log, step: { $0 }, &report)
        progress.begin("evaluation")
        let start = ContinuousClock.now
        let evaluation = RecallEvaluation(
            log: log, channels: channels, components: components.map(\.components), held: held,
            training: training, exposures: exposures)
        let figures = try evaluation.figures(usersMax: usersMax)
        report.seconds["recall evaluation"] = Training.seconds(ContinuousClock.now - start)
        progress.end(figures?.line ?? "nothing to find")
        if let ranker {
            progress.begin("funnel")
            let start = ContinuousClock.now
            report.funnel = try evaluation.funnel(ranker)
            report.seconds["funnel"] = Training.seconds(ContinuousClock.now - start)
            progress.end(
                report.funnel.map { "the cut keeps \(TrainingReport.share($0.agreement))" } ?? "nothing to find")
        }
        return figures
    }

    private func log(rows: Range<Int>, until: Int64?, isEvaluated: Bool) -> RecallLog {
        replay.advance(to: rows.upperBound)
        return RecallLog(
            dataset: dataset, rows: rows, until: until, states: replay.states, columns: inputs.columns,
            encoder: inputs.recallEncoder, options: options, progress: progress, isEvaluated: isEvaluated)
    }

    private func train(
        on log: RecallLog, step: (String) -> String, _ report: inout TrainingReport
    ) throws -> [(trainer: String, components: RecallComponents)] {
        try trainers.map { trainer in
            let start = ContinuousClock.now
            progress.begin(step(trainer.name))
            let components = try trainer.train(on: log)
            report.losses.merge(components.losses) { first, _ in first }
            report.seconds[trainer.name, default: 0] += Training.seconds(ContinuousClock.now - start)
            progress.end("\(log.rows.count) rows")
            return (trainer.name, components)
        }
    }
}
