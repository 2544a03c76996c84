import Catalog
import Evaluation
import Features
import Kernels
import Models
import Recall
import Snapshots

/// Trains every recall channel: on the log up to the split, which is evaluated, then on the whole log, which is shipped.
final class RecallTraining {
    private let dataset: Dataset
    private let split: TimeSplit
    private let columns: ItemFeatureColumns
    private let encoder: FeatureEncoder
    private let options: TrainingOptions
    private let progress: TrainingProgress
    private let trainers: [any RecallTrainer]
    private var replay: Replay

    init(
        _ dataset: Dataset, split: TimeSplit, specification: ModelSpecification, sizes: TableSizes,
        columns: ItemFeatureColumns, encoder: FeatureEncoder, options: TrainingOptions, progress: TrainingProgress
    ) {
        self.dataset = dataset
        self.split = split
        self.columns = columns
        self.encoder = encoder
        self.options = options
        self.progress = progress
        replay = Replay(dataset: dataset, encoder: encoder)
        trainers = Self.trainers(specification, sizes: sizes)
    }

    private static func trainers(_ specification: ModelSpecification, sizes: TableSizes) -> [any RecallTrainer] {
        [
            TwoTowerTrainer(specification.twoTower, sizes: sizes),
            SimilarityTrainer.itemCF(specification.recall.itemCF), SimilarityTrainer.swing(specification.recall.swing),
            UserCFTrainer(specification.recall.userCF), MatrixCompletionTrainer(specification.recall.als),
            RankedListTrainer(), NewItemTrainer(), PlaceTrainer(),
            AuthorTrainer(),
        ]
    }

    /// What came of all trainers for the whole log.
    struct Output {
        /// In the trainers' order.
        var components: [(trainer: String, components: RecallComponents)]
        /// `[U]`, user states after the last row.
        var states: [UserState]
    }

    /// - Parameter report: gets the evaluation, the losses and the times.
    func run(_ report: inout TrainingReport) throws -> Output {
        if !split.held.isEmpty {
            let log = log(until: split)
            let components = try train(on: log, step: { $0 }, &report)
            progress.begin("evaluation")
            report.recall = try RecallEvaluation(
                log: log, split: split, channels: trainers.flatMap(\.channels), components: components.map(\.components)
            ).figures()
            progress.end(report.recallLine ?? "nothing to find")
        }
        let whole = log(until: nil)
        let components = try train(on: whole, step: { split.held.isEmpty ? $0 : "\($0), whole log" }, &report)
        return Output(components: components, states: whole.states)
    }

    private func log(until split: TimeSplit?) -> RecallLog {
        let end = split?.training.upperBound ?? dataset.exposures.count
        replay.advance(to: end)
        return RecallLog(
            dataset: dataset, rows: 0..<end, until: split.map { dataset.exposures.times[$0.held.lowerBound] },
            states: replay.states, columns: columns, encoder: encoder, options: options, progress: progress)
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
