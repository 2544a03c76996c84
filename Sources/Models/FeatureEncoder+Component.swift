import Blobs
import Catalog
import Features

extension FeatureEncoder {
    /// What feeds a model, from its component: `user_key` U64 `[users]` beside the description.
    ///
    /// - Parameters:
    ///   - columns: of `items`, the catalogue that the model was made with.
    ///   - itemIndex: Rows of that catalogue by key; made when left out.
    /// - Complexity: O(items + users).
    init<Specification>(
        _ file: SafetensorsFile, _ description: ModelDescription<Specification>, columns: ItemFeatureColumns,
        items: ItemTable, itemIndex: KeyIndex?, recentItems: Int, lists: UserLists
    ) throws {
        self.init(
            columns: columns, itemIndex: itemIndex ?? KeyIndex(items.keys),
            userIndex: KeyIndex(try file.buffer("user_key", as: UInt64.self, shape: [description.sizes.users])),
            description: description.features, recentItems: recentItems, lists: lists)
    }
}
