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
    /// Of the snapshot.
    public let statistics: ActivityStatistics
    /// Describes items that the catalogue does not have.
    public let vocabulary: ItemVocabulary
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
        statistics = ActivityStatistics(
            columns: columns, items: try Self.counts(file, "item.counts", rows: columns.count),
            surfaces: try Self.counts(file, "surface.counts", rows: description.features.surfaceCount))
    }

    /// Copies the precomputed item towers of catalogue rows.
    ///
    /// - Parameter target: `[rows.count, head.itemWidth]`, rows `stride` floats apart.
    public func copyItems(
        _ rows: UnsafeBufferPointer<UInt32>, to target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        itemVectors.gather(rows, to: target, stride: stride)
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

    private static func counts(_ file: SafetensorsFile, _ name: String, rows: Int) throws -> [ActivityCounts] {
        let values = try file.buffer(name, as: Float.self, shape: [rows, 3])
        return (0..<rows).map {
            ActivityCounts(impressions: values[$0 * 3], clicks: values[$0 * 3 + 1], watchSeconds: values[$0 * 3 + 2])
        }
    }
}
