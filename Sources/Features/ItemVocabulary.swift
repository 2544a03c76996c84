public import Catalog
import Kernels

/// What the models read of one item.
public struct ItemFeatures: Hashable, Sendable {
    /// Row of the catalogue's category names; 0 is unknown.
    public var category: UInt32
    /// Number of the author among ``ItemFeatureColumns/authors``; 0 is unknown.
    public var author: UInt32
    /// Milliseconds since 1970; 0 is unknown.
    public var publishTime: Int64
    /// log(1 + seconds); 0 is unknown.
    public var logDuration: Float
    /// Number of the city among ``ItemFeatureColumns/cities``; 0 is unknown.
    public var city: UInt32 = 0
    /// 0...1; NaN is unknown.
    public var quality = Float.nan
    /// In the shop's own currency, 0 or more; NaN is unknown.
    public var price = Float.nan
    /// Cell of ``ItemFeatureColumns/cells``; 0 is unknown.
    public var cell: UInt64 = 0
}

/// A catalogue's numbers of categories and authors, by which items that it does not have are described to its models.
public struct ItemVocabulary: Sendable {
    private let categories: [String: UInt32]
    private let authors: [UInt64: UInt32]
    private let cities: [UInt64: UInt32]

    /// - Complexity: O(N).
    public init(_ items: ItemTable, columns: ItemFeatureColumns) {
        var categories: [String: UInt32] = [:]
        for row in 1..<max(items.categoryNames.count, 1) { categories[items.categoryNames[row]] = UInt32(row) }
        self.categories = categories
        var authors: [UInt64: UInt32] = [:]
        for row in 0..<items.count { authors[items.authors[row]] = columns.authors[row] }
        self.authors = authors
        var cities: [UInt64: UInt32] = [:]
        for row in 0..<items.count { cities[items.cities[row]] = columns.cities[row] }
        self.cities = cities
    }

    /// A category or author that the catalogue does not have is the unknown one.
    public func features(of item: LiveItem) -> ItemFeatures {
        ItemFeatures(
            category: categories[item.category] ?? 0, author: item.author == 0 ? 0 : authors[item.author] ?? 0,
            publishTime: item.publishMilliseconds, logDuration: logPlusOne(max(item.durationSeconds, 0)),
            city: item.city == 0 ? 0 : cities[item.city] ?? 0, quality: item.quality ?? .nan, price: item.price ?? .nan,
            cell: item.place?.cell.key ?? 0)
    }
}
