public import Blobs
public import Catalog
import Features
public import Kernels
import Networks

/// The user side of the two-tower model, from a snapshot's `two-tower` component: user states to query vectors.
///
/// Any number of requests may run at once.
// Sendable: the parameters are mapped read-only, workspaces are borrowed by one request at a time.
public final class TwoTowerUserNet: @unchecked Sendable {
    private let model: TwoTowerModel
    private let encoder: FeatureEncoder
    private let workspaces = WorkspacePool()

    /// - Parameters:
    ///   - file: The `two-tower` component.
    ///   - items: The catalogue of the same snapshot.
    ///   - itemIndex: Rows of that catalogue by key; made when left out.
    /// - Complexity: O(items + users).
    public init(_ file: SafetensorsFile, items: ItemTable, itemIndex: KeyIndex? = nil) throws {
        let description = try ModelDescription<TwoTowerSpecification>(file)
        let specification = description.specification
        let columns = ItemFeatureColumns(items)
        try description.check(columns, path: file.path)
        model = try TwoTowerModel(
            specification, sizes: description.sizes, in: ParameterSet(file: file, purpose: .serving))
        encoder = try FeatureEncoder(
            file, description, columns: columns, items: items, itemIndex: itemIndex,
            recentItems: specification.recentItems, lists: specification.user.lists)
    }

    public var dimension: Int { model.specification.dimension }

    /// The query vector of a user, `[dimension]`, of unit length; all zeros when nothing at all is known of him.
    ///
    /// - Complexity: O(last-n * embedding + weights of the tower).
    public func vector(of state: UserState) -> SharedBuffer<Float> {
        var inputs = UserInputs()
        inputs.append(state, Scene(timeMilliseconds: 0), encoder: encoder)
        return workspaces.withWorkspace { workspace in
            model.users(inputs, in: workspace).withUnsafeBufferPointer { SharedBuffer($0) }
        }
    }
}

extension ModelDescription {
    /// Refuses a catalogue other than the one the model was made with.
    func check(_ columns: ItemFeatureColumns, path: String) throws(ModelError) {
        let found = (columns.count, columns.categoryCount, columns.authorCount)
        guard found == (sizes.items, sizes.categories, sizes.authors),
            [1, columns.cityCount].contains(sizes.cities), [1, columns.tags.names.count].contains(sizes.tags)
        else {
            throw ModelError(
                .mismatch,
                "\(path): made for a catalogue of \(sizes.items) items, \(sizes.categories) categories and "
                    + "\(sizes.authors) authors (\(sizes.cities) cities, \(sizes.tags) tags), found \(found.0), "
                    + "\(found.1) and \(found.2) (\(columns.cityCount), \(columns.tags.names.count))")
        }
    }
}
