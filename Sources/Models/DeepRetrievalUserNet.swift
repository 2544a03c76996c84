public import Blobs
public import Catalog
import Features
public import Kernels
import Networks

/// The user side of Deep Retrieval, from a snapshot's `deep-retrieval` component: user states to paths and a vector.
///
/// Any number of requests may run at once.
// Sendable: the parameters are mapped read-only, workspaces are borrowed by one request at a time.
public final class DeepRetrievalUserNet: @unchecked Sendable {
    private let model: DeepRetrievalModel
    private let encoder: FeatureEncoder
    private let workspaces = WorkspacePool()

    /// What a user is looked up by.
    public struct Query: Sendable {
        /// The paths of the beam, most probable first, and log p of each.
        public var paths: SharedBuffer<UInt64>
        public var logProbabilities: SharedBuffer<Float>
        /// `[dimension]`, of unit length, what items are scored with.
        public var vector: SharedBuffer<Float>
    }

    /// - Parameters:
    ///   - file: The `deep-retrieval` component.
    ///   - items: The catalogue of the same snapshot.
    ///   - itemIndex: Rows of that catalogue by key; made when left out.
    /// - Complexity: O(items + users).
    public init(_ file: SafetensorsFile, items: ItemTable, itemIndex: KeyIndex? = nil) throws {
        let description = try ModelDescription<DeepRetrievalSpecification>(file)
        let specification = description.specification
        do throws(ModelError) {
            try specification.validate("")
        } catch {
            throw ModelError(.corrupt, "\(file.path): the model description: \(error.message)")
        }
        let columns = ItemFeatureColumns(items)
        try description.check(columns, path: file.path)
        model = try DeepRetrievalModel(
            specification, sizes: description.sizes, in: ParameterSet(file: file, purpose: .serving))
        encoder = try FeatureEncoder(
            file, description, columns: columns, items: items, itemIndex: itemIndex,
            recentItems: specification.recentItems, lists: specification.user.lists)
    }

    /// - Complexity: O(last-n * embedding + weights of the tower + a beam search).
    public func query(_ state: UserState) -> Query {
        var inputs = UserInputs()
        inputs.append(state, Scene(timeMilliseconds: 0), encoder: encoder)
        return workspaces.withWorkspace { workspace in
            let x = model.users(inputs, in: workspace)
            let beams = model.beams(x, width: model.specification.beam, in: workspace)
            return Query(
                paths: SharedBuffer(beams.paths.map(UInt64.init)),
                logProbabilities: SharedBuffer(beams.logProbabilities),
                vector: workspace.normalizeRows(x).withUnsafeBufferPointer { SharedBuffer($0) })
        }
    }
}
