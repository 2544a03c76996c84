import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import VectorIndex

/// Makes what one recall channel, or several that share their training, need of a snapshot.
///
/// A new channel is a type of its own that conforms and one line in ``RecallTraining/trainers``. Evaluation and snapshot
/// are made by the same code: what is evaluated is what is served.
protocol RecallTrainer: AnyObject {
    /// What the progress line calls it.
    var name: String { get }

    /// Channels that read the components.
    var channels: [String] { get }

    /// Learns from a log and makes the components. Called once with the log up to the evaluation's split and once with
    /// the whole log, in this order; a model may go on from where it was.
    func train(on log: RecallLog) throws -> RecallComponents
}

/// The log up to a moment, and what a trainer may know besides.
struct RecallLog: Sendable {
    let dataset: Dataset
    /// Rows that count: all before ``until``.
    let rows: Range<Int>
    /// The moment, milliseconds since 1970; nil after the last row.
    let until: Int64?
    /// `[U]`, in user table order: users as they are after the rows.
    let states: [UserState]
    let columns: ItemFeatureColumns
    let encoder: FeatureEncoder
    let options: TrainingOptions
    let progress: TrainingProgress

    /// Whether this is made to be evaluated: vectors are then searched exactly.
    let isEvaluated: Bool

    /// The moment that ages are counted from.
    var dataUntil: Int64 { until ?? dataset.exposures.times.last ?? 0 }

    /// Users whose vectors tune and measure a vector index.
    private static let queriesMax = 1_000

    /// Users with a history, taken evenly.
    func sampledStates() -> [UserState] {
        let active = states.indices.filter { !states[$0].recent.isEmpty }
        let count = min(active.count, Self.queriesMax)
        return (0..<count).map { states[active[$0 * active.count / count]] }
    }
}

/// The components of one or more channels, as tensors, before anything is written.
struct RecallComponents {
    /// One per cluster, by kind.
    var shared: [String: SafetensorsWriter] = [:]
    /// Split over shards, by kind.
    var sharded: [String: @Sendable (_ shard: Int, _ shards: Int) throws -> ShardComponent] = [:]
    /// How they were built: what a reader of the manifest should know.
    var figures: [String: Double] = [:]
    /// Mean loss of every epoch, by model.
    var losses: [String: [Double]] = [:]

    /// The component as a process would read it; its file is unlinked at once and lives as long as it is mapped.
    static func opened(_ writer: SafetensorsWriter) throws -> SafetensorsFile {
        let url = FileManager.default.temporaryDirectory.appending(path: "tributary-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try writer.write(to: url.path())
        return try SafetensorsFile(path: url.path())
    }

    struct ShardComponent {
        var tensors: SafetensorsWriter
        /// When it is a vector index.
        var index: IndexReport?
    }
}

extension RecallLog {
    /// One shard's vector index.
    ///
    /// - Parameters:
    ///   - vectors: `[N, d]`, all items in catalogue row order.
    ///   - isIndexed: which rows have a vector; nil: all.
    ///   - queries: `[q, d]`, to choose and measure the search with.
    func vectorIndex(
        shard: Int, of shards: Int, vectors: SharedBuffer<Float>, dimension: Int, queries: SharedBuffer<Float>,
        where isIndexed: ((Int) -> Bool)? = nil
    ) throws -> RecallComponents.ShardComponent {
        let rows = columns.keys.indices.filter { columns.keys[$0].shard(of: shards) == shard && isIndexed?($0) ?? true }
        var own: [Float] = []
        own.reserveCapacity(rows.count * dimension)
        for row in rows { own.append(contentsOf: vectors[shared: row * dimension..<(row + 1) * dimension]) }
        var indexOptions = VectorIndexOptions()
        indexOptions.seed = options.seed
        indexOptions.threads = options.threads
        let specification = options.specification.recall.index
        indexOptions.targetRecall = specification.targetRecall
        indexOptions.kind = isEvaluated ? .exact : IndexKind(rawValue: specification.kind.rawValue)
        let index = try VectorIndex.build(
            keys: SharedBuffer(rows.map { columns.keys[$0].rawValue }), vectors: SharedBuffer(own),
            dimension: dimension, queries: queries, options: indexOptions)
        return .init(tensors: index.component(), index: index.report)
    }
}
