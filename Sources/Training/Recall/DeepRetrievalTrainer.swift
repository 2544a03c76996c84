import Catalog
import Features
import Kernels
import Models
import Recall

/// The `deep-retrieval` channel: the user net for orchestrators, which search their beams; items by path for every shard.
final class DeepRetrievalTrainer: RecallTrainer {
    let name = ChannelName.deepRetrieval
    let channels = [ChannelName.deepRetrieval]

    private let specification: DeepRetrievalSpecification
    private let sizes: TableSizes
    private var training: DeepRetrievalTraining?
    /// The log just after the rows that were trained on.
    private var replay: Replay?
    private var trained = 0

    init(_ specification: DeepRetrievalSpecification, sizes: TableSizes) {
        self.specification = specification
        self.sizes = sizes
    }

    func train(on log: RecallLog) throws -> RecallComponents {
        let training = try self.training ?? DeepRetrievalTraining(specification, sizes: sizes, log: log)
        self.training = training
        // New rows are gone through once, as for the two-tower model.
        let isFirst = trained == 0
        let fitted = try training.fit(
            trained..<log.rows.upperBound, epochs: isFirst ? specification.epochs : 1,
            from: replay ?? Replay(dataset: log.dataset, encoder: encoder(log)))
        trained = log.rows.upperBound
        var end = fitted.end
        end.advance(to: trained)
        replay = end
        var components = try components(training, log)
        if isFirst { components.losses["deepRetrieval"] = fitted.losses }
        return components
    }

    private func components(_ training: DeepRetrievalTraining, _ log: RecallLog) throws -> RecallComponents {
        let index = PathIndex(
            training.paths, items: log.columns.keys,
            vectors: SharedBuffer(training.itemVectors(dataUntil: log.dataUntil)), dimension: specification.dimension,
            pathWeight: specification.pathWeight)
        var components = RecallComponents()
        components.shared["deep-retrieval"] = try ModelComponents.deepRetrieval(
            ModelDescription(specification: specification, features: log.encoder.description, sizes: sizes),
            parameters: training.parameters, users: log.dataset.users)
        components.sharded["deep-retrieval-paths"] = { .init(tensors: index.component(shard: $0, of: $1)) }
        components.figures = training.paths.balance.merging([
            "nodes": Double(specification.nodes), "depth": Double(specification.depth),
            "paths_per_item": Double(specification.paths), "beam": Double(specification.beam),
            "alpha": specification.alpha, "epochs": Double(specification.epochs),
        ]) { $1 }
        return components
    }

    /// The log's encoder, with the last-n of this model.
    private func encoder(_ log: RecallLog) -> FeatureEncoder {
        FeatureEncoder(
            columns: log.encoder.columns, itemIndex: log.encoder.itemIndex, userIndex: log.encoder.userIndex,
            description: log.encoder.description, recentItems: specification.recentItems,
            lists: specification.user.lists)
    }
}
