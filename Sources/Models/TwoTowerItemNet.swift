public import Blobs
public import Catalog
import Features
import Networks

/// The item side of the two-tower model, from a snapshot's `two-tower` component, for items that the snapshot does not
/// have: their id is the one the model has never seen, category, author and the rest are their own.
///
/// Any number of callers may run at once.
// Sendable: the parameters are mapped read-only, workspaces are borrowed by one caller at a time.
public final class TwoTowerItemNet: @unchecked Sendable {
    private let model: TwoTowerModel
    private let vocabulary: ItemVocabulary
    private let workspaces = WorkspacePool()

    /// - Parameters:
    ///   - file: The `two-tower` component.
    ///   - items: The catalogue of the same snapshot.
    /// - Complexity: O(items).
    public init(_ file: SafetensorsFile, items: ItemTable) throws {
        let description = try ModelDescription<TwoTowerSpecification>(file)
        let columns = ItemFeatureColumns(items)
        try description.check(columns, path: file.path)
        model = try TwoTowerModel(
            description.specification, sizes: description.sizes, in: ParameterSet(file: file, purpose: .serving))
        vocabulary = ItemVocabulary(items, columns: columns)
    }

    public var dimension: Int { model.specification.dimension }

    /// The vector of an item, `[dimension]`, of unit length, at the time of its publication.
    ///
    /// - Complexity: O(weights of the tower).
    public func vector(of item: LiveItem) -> [Float] {
        let features = vocabulary.features(of: item)
        var inputs = ItemInputs()
        inputs.append(features, age: FeatureEncoder.age(published: features.publishTime, now: features.publishTime))
        return workspaces.withWorkspace { workspace in
            model.items(inputs, in: workspace).withUnsafeBufferPointer { Array($0) }
        }
    }
}
