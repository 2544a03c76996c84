public import Blobs
public import Catalog
public import Features
import Kernels
import Networks

/// The three-tower model as a ranker holds it, from a snapshot's `prerank` component: item towers already computed,
/// one row per catalogue item, and the item statistics of the snapshot.
// Sendable: immutable after init; the parameters are mapped read-only.
public final class PreRankNet: @unchecked Sendable {
    public let model: ThreeTowerModel
    public let encoder: FeatureEncoder
    /// What runs for each candidate.
    public let head: PreRankHead
    /// `[N]`, catalogue row order.
    public let signals: [ItemSignals]
    /// Describes items that the catalogue does not have.
    public let vocabulary: ItemVocabulary
    private let statistics: ActivityStatistics
    private let workspaces = WorkspacePool()
    private let itemVectors: EmbeddingTable

    /// - Parameters:
    ///   - file: The `prerank` component.
    ///   - items: The catalogue of the same snapshot.
    /// - Complexity: O(items + users).
    public init(_ file: SafetensorsFile, items: ItemTable, itemIndex: KeyIndex? = nil) throws {
        let description = try ModelDescription<ThreeTowerSpecification>(file)
        let specification = description.specification
        let columns = ItemFeatureColumns(items)
        try description.check(columns, path: file.path)
        let parameters = ParameterSet(file: file, purpose: .serving)
        model = try ThreeTowerModel(specification, sizes: description.sizes, in: parameters)
        head = try PreRankHead(file, specification)
        vocabulary = ItemVocabulary(items, columns: columns)
        itemVectors = try parameters.table(
            "item.output", rows: columns.count, width: specification.item.layers.last ?? 0)
        encoder = try FeatureEncoder(
            file, description, columns: columns, items: items, itemIndex: itemIndex,
            recentItems: specification.recentItems, lists: specification.user.lists)
        let statistics = ActivityStatistics(
            columns: columns, items: try Self.counts(file, "item.counts", rows: columns.count),
            surfaces: try Self.counts(file, "surface.counts", rows: description.features.surfaceCount))
        signals = (0..<columns.count).map {
            ItemSignals(row: $0, statistics: statistics, columns: columns, priors: description.features.priors)
        }
        self.statistics = statistics
    }

    public func surface(_ index: UInt16) -> ActivityCounts {
        statistics.surface(index)
    }

    /// Asks for an item's vector to be brought into the cache.
    public func prefetchItem(_ row: Int) {
        itemVectors.prefetch(row)
    }

    /// Copies the precomputed item tower of a catalogue row to `target`, `[head.itemWidth]`.
    public func copyItem(_ row: Int, to target: UnsafeMutablePointer<Float>) {
        itemVectors.copy(row, to: target)
    }

    /// The item tower, run for an item that the catalogue does not have, at the time of its publication.
    ///
    /// - Returns: `[item.layers.last]`.
    public func itemTower(_ item: ItemFeatures) -> [Float] {
        var inputs = ItemInputs()
        inputs.append(item, age: FeatureEncoder.age(published: item.publishTime, now: item.publishTime))
        return workspaces.withWorkspace { workspace in
            model.items(inputs, in: workspace).withUnsafeBufferPointer { Array($0) }
        }
    }

    /// What the statistics say of an item that was never shown: what they say of its category and author.
    public func signals(of item: ItemFeatures) -> ItemSignals {
        ItemSignals(item, statistics: statistics, priors: encoder.description.priors)
    }

    private static func counts(_ file: SafetensorsFile, _ name: String, rows: Int) throws -> [ActivityCounts] {
        let values = try file.buffer(name, as: Float.self, shape: [rows, 3])
        return (0..<rows).map {
            ActivityCounts(impressions: values[$0 * 3], clicks: values[$0 * 3 + 1], watchSeconds: values[$0 * 3 + 2])
        }
    }
}
