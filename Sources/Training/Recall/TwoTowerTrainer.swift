import Catalog
import Features
import Kernels
import Models
import Recall

/// The `two-tower` channel: the user side for orchestrators, an index of item vectors for every shard.
final class TwoTowerTrainer: RecallTrainer {
    let name = "two-tower"
    let channels = [ChannelName.twoTower]

    private let specification: TwoTowerSpecification
    private let sizes: TableSizes
    private let start: ContinuedModel?
    private var training: TwoTowerTraining?
    /// The log just after the rows that were trained on.
    private var replay: Replay?
    private var trained: Int?

    /// - Parameter start: The model that this one goes on from; nil begins anew.
    init(_ specification: TwoTowerSpecification, sizes: TableSizes, start: ContinuedModel? = nil) {
        self.specification = specification
        self.sizes = sizes
        self.start = start
    }

    func train(on log: RecallLog) throws -> RecallComponents {
        let vocabulary = ModelVocabulary(
            users: log.dataset.users, items: log.dataset.items,
            surfaceNames: log.dataset.exposures.surfaceNames)
        let training = try self.training ?? makeTraining(log, vocabulary)
        self.training = training
        // New rows are gone through once: the model has settled, and they are what it will be asked about.
        let first = trained ?? start?.firstNewRow(of: log.dataset.exposures) ?? 0
        let fitted = try training.fit(
            first..<max(first, log.rows.upperBound), counted: log.rows,
            epochs: trained == nil && start == nil ? log.options.twoTowerEpochs : 1, from: replay(log, at: first))
        let isFirst = trained == nil
        trained = log.rows.upperBound
        var end = fitted.end
        end.advance(to: log.rows.upperBound)
        replay = end
        var components = try Self.components(training, log, sizes, vocabulary, gaps: fitted.gaps)
        if isFirst { components.losses["twoTower"] = fitted.losses }
        components.figures = fitted.figures
        return components
    }

    private func replay(_ log: RecallLog, at row: Int) -> Replay {
        if let replay { return replay }
        var replay = Replay(dataset: log.dataset, encoder: log.encoder)
        replay.advance(to: row)
        return replay
    }

    private func makeTraining(_ log: RecallLog, _ vocabulary: ModelVocabulary) throws -> TwoTowerTraining {
        let training = try TwoTowerTraining(
            specification, sizes: sizes, dataset: log.dataset, columns: log.columns, options: log.options,
            progress: log.progress)
        if let start { try training.start(from: start.model, vocabulary: vocabulary) }
        return training
    }

    /// What is shipped of a model: the user side, the item vectors, and, of the whole log, what training goes on from.
    static func components(
        _ training: TwoTowerTraining, _ log: RecallLog, _ sizes: TableSizes, _ vocabulary: ModelVocabulary,
        gaps: [Float]
    ) throws -> RecallComponents {
        let vectors = SharedBuffer(training.itemVectors(dataUntil: log.dataUntil))
        let queries = SharedBuffer(training.userVectors(log.sampledStates(), encoder: log.encoder))
        let specification = training.model.specification
        var components = RecallComponents()
        components.shared["two-tower"] = try ModelComponents.twoTower(
            ModelDescription(specification: specification, features: log.encoder.description, sizes: sizes),
            parameters: training.parameters, users: log.dataset.users)
        if !log.isEvaluated {
            components.shared[TwoTowerState.componentKind] = training.state(vocabulary, gaps: gaps).component()
        }
        components.sharded["vectors"] = { shard, shards in
            try log.vectorIndex(
                shard: shard, of: shards, vectors: vectors, dimension: specification.dimension, queries: queries)
        }
        return components
    }
}
