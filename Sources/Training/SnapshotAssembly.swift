import Blobs
import Catalog
import FeatureStore
import Features
import Kernels
import Models
import Networks
import Recall
import Snapshots
import VectorIndex

/// Puts everything trained on a data set into a snapshot, component by component.
struct SnapshotAssembly {
    let dataset: Dataset
    let columns: ItemFeatureColumns
    let recall: RecallTraining.Output
    let preRanker: PreRankerTraining
    let preRankerDescription: ModelDescription<ThreeTowerSpecification>
    /// Counts at the end of the log.
    let statistics: ActivityStatistics
    /// nil when none was trained.
    let ranker: TrainedRanker?
    let dataUntil: Int64
    let options: TrainingOptions
    let progress: TrainingProgress

    /// - Parameter report: gets how the recall components were built.
    func add(to builder: SnapshotBuilder, _ report: inout TrainingReport) throws {
        let shared = recall.components.flatMap(\.components.shared).sorted { $0.key < $1.key }
        let sharded = recall.components.flatMap(\.components.sharded).sorted { $0.key < $1.key }
        let ranking = try ranker?.components() ?? []
        let total = 3 + ranking.count + shared.count + sharded.count * options.shards
        var done = 0
        func add(_ kind: String, shard: Int? = nil, _ tensors: SafetensorsWriter) throws {
            try builder.add(kind, shard: shard, tensors)
            done += 1
            progress.update(done: done, of: total)
        }
        try add("catalog", catalog())
        try add(UserStateTable.componentKind, users())
        try add(
            "prerank",
            ModelComponents.preRank(
                preRankerDescription, model: preRanker.model, parameters: preRanker.parameters, users: dataset.users,
                columns: columns, statistics: statistics, dataUntil: dataUntil))
        for (kind, tensors) in ranking { try add(kind, tensors) }
        for (kind, tensors) in shared { try add(kind, tensors) }
        for (kind, make) in sharded {
            for shard in 0..<options.shards {
                let component = try make(shard, options.shards)
                try add(kind, shard: shard, component.tensors)
                if let index = component.index { report.vectorIndexes[kind, default: []].append(index) }
            }
        }
        for (trainer, components) in recall.components where !components.figures.isEmpty {
            report.recallComponents[trainer] = components.figures
        }
    }

    private func catalog() -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: ["name": dataset.name])
        dataset.items.add(to: &writer)
        dataset.exposures.surfaceNames.add(to: &writer, name: "surface")
        writer.add(
            contexts: dataset.exposures.contexts.map {
                CategoricalField(name: $0.name, vocabulary: $0.vocabulary, values: [])
            })
        return writer
    }

    private func users() -> SafetensorsWriter {
        var writer = SafetensorsWriter()
        UserStateTable(recall.states, fieldNames: dataset.users.fields.map(\.name)).add(to: &writer)
        return writer
    }
}
