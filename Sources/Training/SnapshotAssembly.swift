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
    let twoTower: TwoTowerTraining
    let twoTowerDescription: ModelDescription<TwoTowerSpecification>
    let preRanker: PreRankerTraining
    let preRankerDescription: ModelDescription<ThreeTowerSpecification>
    let encoder: FeatureEncoder
    /// `[U]`, user states at the end of the log.
    let states: [UserState]
    /// Counts at the end of the log.
    let statistics: ActivityStatistics
    let dataUntil: Int64
    let options: TrainingOptions
    let progress: TrainingProgress

    /// Users whose vectors tune and measure the vector index.
    private static let queriesMax = 1_000

    /// - Returns: what the recall components came to.
    func add(to builder: SnapshotBuilder) throws -> RecallComponents {
        let components = 4 + 4 * options.shards
        var done = 0
        func told(_ add: () throws -> Void) throws {
            try add()
            done += 1
            progress.update(done: done, of: components)
        }
        try told { try builder.add("catalog", catalog()) }
        try told { try builder.add(UserStateTable.componentKind, users()) }
        try told {
            try builder.add(
                "two-tower",
                ModelComponents.twoTower(
                    twoTowerDescription, parameters: twoTower.parameters, users: dataset.users))
        }
        try told {
            try builder.add(
                "prerank",
                ModelComponents.preRank(
                    preRankerDescription, model: preRanker.model, parameters: preRanker.parameters,
                    users: dataset.users, columns: columns, statistics: statistics, dataUntil: dataUntil))
        }
        let vectors = twoTower.itemVectors(dataUntil: dataUntil)
        let queries = SharedBuffer(twoTower.userVectors(sampledStates(), encoder: encoder))
        let itemCF = ItemCFBuilder(threads: options.threads)
        let lists = itemCF.build(dataset)
        var indexes: [IndexReport] = []
        let popular = RankedList.popular(dataset)
        let newest = RankedList.newest(dataset)
        for shard in 0..<options.shards {
            try told {
                let index = try index(shard, vectors, queries)
                indexes.append(index.report)
                try builder.add("vectors", shard: shard, index.component())
            }
            try told { try builder.add("itemcf", shard: shard, lists.component(shard: shard, of: options.shards)) }
            try told { try builder.add("popular", shard: shard, popular.component(shard: shard, of: options.shards)) }
            try told { try builder.add("newest", shard: shard, newest.component(shard: shard, of: options.shards)) }
        }
        return RecallComponents(
            vectorIndexes: indexes,
            itemCF: ItemCFFigures(
                historyMax: itemCF.historyMax, neighbours: itemCF.neighbours, cappedUsers: lists.cappedUsers,
                droppedShowings: lists.droppedShowings,
                pairs: (0..<lists.lists.items).reduce(0) { $0 + lists.lists[$1].count }))
    }

    private func catalog() -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: ["name": dataset.name])
        dataset.items.add(to: &writer)
        dataset.exposures.surfaceNames.add(to: &writer, name: "surface")
        return writer
    }

    private func users() -> SafetensorsWriter {
        var writer = SafetensorsWriter()
        UserStateTable(states, fieldNames: dataset.users.fields.map(\.name)).add(to: &writer)
        return writer
    }

    private func index(_ shard: Int, _ vectors: [Float], _ queries: SharedBuffer<Float>) throws -> VectorIndex {
        let width = twoTower.model.specification.dimension
        let rows = columns.keys.indices.filter { columns.keys[$0].shard(of: options.shards) == shard }
        var own: [Float] = []
        own.reserveCapacity(rows.count * width)
        for row in rows { own.append(contentsOf: vectors[row * width..<(row + 1) * width]) }
        var indexOptions = VectorIndexOptions()
        indexOptions.seed = options.seed
        indexOptions.threads = options.threads
        return try VectorIndex.build(
            keys: SharedBuffer(rows.map { columns.keys[$0].rawValue }), vectors: SharedBuffer(own), dimension: width,
            queries: queries, options: indexOptions)
    }

    /// Users with a history, taken evenly.
    private func sampledStates() -> [UserState] {
        let active = states.indices.filter { !states[$0].recent.isEmpty }
        let count = min(active.count, Self.queriesMax)
        return (0..<count).map { states[active[$0 * active.count / count]] }
    }
}
