import Catalog
import Features
import Kernels
import Models
import Networks

/// Fits the two-tower model to the clicks of a log.
final class TwoTowerTraining {
    let model: TwoTowerModel
    let parameters: ParameterSet
    private let fitting: Fitting
    private let log: ExposureTable
    private let columns: ItemFeatureColumns
    private let batch: Int
    private let seed: UInt64
    private let dataset: Dataset
    private var views: SelfSupervision?
    /// Batches between two clicks on an item, by a model that this one goes on from.
    private var resumedGaps: [Float]?
    private var isStreamed = false

    init(
        _ specification: TwoTowerSpecification, sizes: TableSizes, dataset: Dataset, columns: ItemFeatureColumns,
        options: TrainingOptions, progress: TrainingProgress
    ) throws {
        parameters = ParameterSet(seed: options.seed &+ 1)
        model = try TwoTowerModel(specification, sizes: sizes, in: parameters)
        var configuration = Optimizer.Configuration()
        configuration.dense = .adam(learningRate: 1e-3)
        configuration.tables = .adagrad(learningRate: 0.05, initial: 1e-6)
        fitting = Fitting(
            parameters, optimizer: configuration, seed: options.seed &+ 1, threads: options.threads,
            progress: progress)
        self.dataset = dataset
        log = dataset.exposures
        self.columns = columns
        batch = options.batch
        seed = options.seed
        views = SelfSupervision(specification, dataset: dataset, columns: columns, seed: options.seed)
    }

    /// Goes on from a trained model instead of from the beginning.
    func start(from trained: TrainedTwoTower, vocabulary: ModelVocabulary) throws {
        try trained.copy(to: parameters, of: vocabulary, fitting.optimizer)
        resumedGaps = trained.gaps(vocabulary, items: columns.count)
    }

    /// From now on only embeddings of ids move, and the log is gone through in its own order: an incremental update. A
    /// dense layer that followed a few minutes' clicks would move every vector; an id's row moves only its own.
    func moveIDsOnly() {
        for parameter in parameters.all { parameter.isTrained = Self.idTables.contains(parameter.name) }
        isStreamed = true
        views = nil
    }

    /// Tables with a row for each user, item and author.
    static let idTables: Set<String> = ["user", "item", "author"]

    /// What training remembers beside the parameters.
    func state(_ vocabulary: ModelVocabulary, gaps: [Float]) -> TwoTowerState {
        TwoTowerState(vocabulary: vocabulary, memory: fitting.optimizer.memory, gaps: gaps)
    }

    /// Goes through the clicks of `rows` `epochs` times.
    ///
    /// - Parameters:
    ///   - counted: Rows that tell how often items are clicked, and what users have met.
    ///   - start: The state of the log just before `rows`.
    func fit(_ rows: Range<Int>, counted: Range<Int>, epochs: Int, from start: Replay) throws -> Fitted {
        var batches = TwoTowerBatches(
            model.specification.training, dataset: dataset, counted: counted, columns: columns, size: batch,
            seed: seed &+ UInt64(rows.lowerBound), resumedGaps: isStreamed ? resumedGaps : nil)
        var losses: [Double] = []
        var end = start
        for epoch in 0..<epochs {
            var replay = start
            for piece in rows.pieces(of: Fitting.stretch) {
                let table = replay.examples(
                    piece, crossFeatures: [], presentation: isStreamed ? { .known } : fitting.presentation,
                    where: { Actions(rawValue: self.log.actions[$0]).contains(.click) })
                try fit(
                    table, &batches, done: epoch * rows.count + piece.lowerBound - rows.lowerBound,
                    of: epochs * rows.count)
            }
            losses.append(fitting.takeLoss())
            if epoch == epochs - 1 { end = replay }
        }
        return Fitted(
            losses: losses, end: end, gaps: batches.gaps,
            figures: [
                "hard_negatives": Double(batches.rejected.count), "hard_negatives_met": Double(batches.rejected.met),
            ])
    }

    struct Fitted {
        /// Mean of each epoch.
        var losses: [Double]
        /// The state of the log after the rows.
        var end: Replay
        /// `[N]`, batches between two clicks on each item.
        var gaps: [Float]
        /// What a reader of the manifest should know.
        var figures: [String: Double]
    }

    /// `[N, dimension]`, unit vectors of every catalogue item, in row order.
    func itemVectors(dataUntil: Int64) -> [Float] {
        ModelComponents.itemOutputs(
            columns: columns, dataUntil: dataUntil, width: model.specification.dimension
        ) { self.model.items($0, in: $1) }
    }

    /// `[n, dimension]`, unit vectors of users as they are now.
    func userVectors(_ states: [UserState], encoder: FeatureEncoder) -> [Float] {
        let workspace = Workspace()
        var vectors: [Float] = []
        var inputs = UserInputs()
        for piece in states.indices.pieces(of: batch) {
            workspace.reset()
            inputs.removeAll()
            for state in states[piece] { inputs.append(state, Scene(timeMilliseconds: 0), encoder: encoder) }
            model.users(inputs, in: workspace).withUnsafeBufferPointer { vectors.append(contentsOf: $0) }
        }
        return vectors
    }

    private func fit(_ table: ExampleTable, _ batches: inout TwoTowerBatches, done: Int, of total: Int) throws {
        let order = batches.order(table, shuffled: isStreamed ? { Array(0..<$0) } : fitting.shuffled)
        for piece in (0..<order.count).pieces(of: batch) where piece.count > 1 {
            let batch = batches.batch(table, order[piece])
            let views = views?.draw(at: log.times[Int(table.rows[order[piece.lowerBound]])])
            try fitting.step(rows: piece.count) { tape in
                let loss = model.loss(batch, on: tape)
                guard let views else { return (loss, loss) }
                let besides = model.selfSupervisedLoss(views.first, views.second, identities: views.items, on: tape)
                let alpha = model.specification.training.selfSupervised.alpha
                return (tape.add(loss, tape.scale(besides, by: alpha)), loss)
            }
            fitting.progress.update(done: done + piece.upperBound, of: total, loss: fitting.meanLoss)
        }
    }
}
