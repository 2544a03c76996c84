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
    public var cities: Int
    public var tags: Int

    package init(
        users: Int, items: Int, profile: [Int], surfaces: Int, categories: Int, authors: Int, cities: Int = 1,
        tags: Int = 1
    ) {
        self.cities = cities
        self.tags = tags
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
        cities = columns.cityCount
        tags = columns.tags.names.count
    }

    /// Sizes that were written before there were tables of cities and tags have none.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        users = try container.decode(Int.self, forKey: .users)
        items = try container.decode(Int.self, forKey: .items)
        profile = try container.decode([Int].self, forKey: .profile)
        surfaces = try container.decode(Int.self, forKey: .surfaces)
        categories = try container.decode(Int.self, forKey: .categories)
        authors = try container.decode(Int.self, forKey: .authors)
        cities = try container.decodeIfPresent(Int.self, forKey: .cities) ?? 1
        tags = try container.decodeIfPresent(Int.self, forKey: .tags) ?? 1
    }
}
