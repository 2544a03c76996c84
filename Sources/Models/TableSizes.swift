public import Catalog
public import Features

/// What the embedding tables of a model must have room for.
public struct TableSizes: Hashable, Sendable, Codable {
    public var users: Int
    public var items: Int
    /// Values per profile field, the unknown one included.
    public var profile: [Int]
    public var surfaces: Int
    public var categories: Int
    public var authors: Int

    package init(users: Int, items: Int, profile: [Int], surfaces: Int, categories: Int, authors: Int) {
        self.users = users
        self.items = items
        self.profile = profile
        self.surfaces = surfaces
        self.categories = categories
        self.authors = authors
    }

    public init(users: UserTable, items: ItemTable, columns: ItemFeatureColumns, surfaceCount: Int) {
        self.users = users.count
        self.items = items.count
        profile = users.fields.map(\.vocabulary.count)
        surfaces = max(surfaceCount, 1)
        categories = columns.categoryCount
        authors = columns.authorCount
    }
}
