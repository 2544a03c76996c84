import Blobs
import Kernels
import Models
import Recall

/// The `als` channel: item factors for the orchestrator, which folds users in, and an index of them for every shard.
final class MatrixCompletionTrainer: RecallTrainer {
    let name = ChannelName.als
    let channels = [ChannelName.als]
    private let specification: MatrixCompletionSpecification

    init(_ specification: MatrixCompletionSpecification) {
        self.specification = specification
    }

    func train(on log: RecallLog) throws -> RecallComponents {
        let matrix = MatrixCompletion(specification, seed: log.options.seed, threads: log.options.threads)
            .build(log.dataset, until: log.until) { log.progress.update(share: $0) }
        guard matrix.itemFactors.allSatisfy(\.isFinite) else {
            throw TrainingError(.diverged, "als: the factors are not finite: try a greater recall.als.regularization")
        }
        let component = matrix.component()
        let vectors = SharedBuffer(matrix.itemFactors)
        let queries = try queries(component, log)
        // An item nobody liked has no vector: it would come before all with a score below zero.
        let known = Set(matrix.knownItems)
        var components = RecallComponents()
        components.shared["als"] = component
        components.sharded["als-vectors"] = { [width = specification.factors] shard, shards in
            try log.vectorIndex(shard: shard, of: shards, vectors: vectors, dimension: width, queries: queries) {
                known.contains($0)
            }
        }
        components.figures = matrix.figures
        components.losses["als"] = [matrix.loss]
        return components
    }

    /// Vectors of users as they will be asked for.
    private func queries(_ component: SafetensorsWriter, _ log: RecallLog) throws -> SharedBuffer<Float> {
        let encoder = try MatrixCompletionEncoder(component: RecallComponents.opened(component))
        return SharedBuffer(
            log.sampledStates().flatMap {
                encoder.input(for: RecallUser(state: $0, timeMilliseconds: log.dataUntil)).vector
            })
    }
}
