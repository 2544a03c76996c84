public import Blobs
public import Catalog
public import Features
import Kernels
public import Networks

/// Writes trained models as snapshot components.
public enum ModelComponents {
    /// The `two-tower` component: parameters by name, `user_key` U64 `[U]` in embedding order.
    public static func twoTower(
        _ description: ModelDescription<TwoTowerSpecification>, parameters: ParameterSet, users: UserTable
    ) throws -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: try description.metadata())
        try parameters.write(to: &writer)
        writer.add("user_key", users.keys.reinterpreted(as: UInt64.self))
        return writer
    }

    /// The `deep-retrieval` component: parameters by name, `user_key` U64 `[U]` in embedding order.
    public static func deepRetrieval(
        _ description: ModelDescription<DeepRetrievalSpecification>, parameters: ParameterSet, users: UserTable
    ) throws -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: try description.metadata())
        try parameters.write(to: &writer)
        writer.add("user_key", users.keys.reinterpreted(as: UInt64.self))
        return writer
    }

    /// The `prerank` component: parameters by name, `user_key` U64 `[U]`, `item.output` F32 `[N, d]` and `item.counts`
    /// F32 `[N, 3]` in catalogue row order, `surface.counts` F32 `[S, 3]` (impressions, clicks, seconds watched).
    ///
    /// - Parameter dataUntil: The time whose item ages the item towers see, milliseconds since 1970.
    public static func preRank(
        _ description: ModelDescription<ThreeTowerSpecification>, model: ThreeTowerModel, parameters: ParameterSet,
        users: UserTable, columns: ItemFeatureColumns, statistics: ActivityStatistics, dataUntil: Int64
    ) throws -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: try description.metadata())
        try parameters.write(to: &writer)
        writer.add("user_key", users.keys.reinterpreted(as: UInt64.self))
        let width = description.specification.item.layers.last ?? 0
        let outputs = itemOutputs(
            columns: columns, dataUntil: dataUntil, width: width, tower: { model.items($0, in: $1) })
        writer.add("item.output", outputs, shape: [columns.count, width])
        writer.add("item.counts", statistics.items.flatMap(\.values), shape: [columns.count, 3])
        writer.add("surface.counts", statistics.surfaces.flatMap(\.values), shape: [statistics.surfaces.count, 3])
        return writer
    }

    /// A tower's output for every item of the catalogue, `[N, width]` in row order.
    ///
    /// - Complexity: O(N) tower evaluations, in batches.
    public static func itemOutputs(
        columns: ItemFeatureColumns, dataUntil: Int64, width: Int, tower: (ItemInputs, Workspace) -> Tensor
    ) -> [Float] {
        let workspace = Workspace()
        var inputs = ItemInputs()
        var outputs: [Float] = []
        outputs.reserveCapacity(columns.count * width)
        for start in stride(from: 0, to: columns.count, by: batch) {
            inputs.removeAll()
            workspace.reset()
            for row in start..<min(start + batch, columns.count) {
                let age = FeatureEncoder.age(published: columns.publishTimes[row], now: dataUntil)
                inputs.append(row: UInt32(row), age: age, columns: columns)
            }
            tower(inputs, workspace).withUnsafeBufferPointer { outputs.append(contentsOf: $0) }
        }
        return outputs
    }

    private static let batch = 1_024
}

extension ActivityCounts {
    fileprivate var values: [Float] { [impressions, clicks, watchSeconds] }
}
