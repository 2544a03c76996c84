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
    private var training: TwoTowerTraining?
    /// The log just after the rows that were trained on.
    private var replay: Replay?
    private var trained = 0

    init(_ specification: TwoTowerSpecification, sizes: TableSizes) {
        self.specification = specification
        self.sizes = sizes
    }

    func train(on log: RecallLog) throws -> RecallComponents {
        let training = try self.training ?? makeTraining(log)
        self.training = training
        // New rows are gone through once: the model has settled, and they are what it will be asked about.
        let isFirst = trained == 0
        let fitted = try training.fit(
            trained..<log.rows.upperBound, epochs: isFirst ? log.options.twoTowerEpochs : 1,
            from: replay ?? Replay(dataset: log.dataset, encoder: log.encoder))
        trained = log.rows.upperBound
        var end = fitted.end
        end.advance(to: trained)
        replay = end
        var components = try components(training, log)
        if isFirst { components.losses["twoTower"] = fitted.losses }
        return components
    }

    private func makeTraining(_ log: RecallLog) throws -> TwoTowerTraining {
        try TwoTowerTraining(
            specification, sizes: sizes, log: log.dataset.exposures, counted: log.rows, columns: log.columns,
            options: log.options, progress: log.progress)
    }

    private func components(_ training: TwoTowerTraining, _ log: RecallLog) throws -> RecallComponents {
        let vectors = SharedBuffer(training.itemVectors(dataUntil: log.dataUntil))
        let queries = SharedBuffer(training.userVectors(log.sampledStates(), encoder: log.encoder))
        let width = specification.dimension
        var components = RecallComponents()
        components.shared["two-tower"] = try ModelComponents.twoTower(
            ModelDescription(specification: specification, features: log.encoder.description, sizes: sizes),
            parameters: training.parameters, users: log.dataset.users)
        components.sharded["vectors"] = { shard, shards in
            try log.vectorIndex(shard: shard, of: shards, vectors: vectors, dimension: width, queries: queries)
        }
        return components
    }
}
