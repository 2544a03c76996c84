public import Catalog
public import Kernels

/// The item columns that features read, in catalogue row order.
///
/// Made from the catalogue alone, so that trainer and ranker number categories and authors alike.
public struct ItemFeatureColumns: Sendable {
    public let keys: SharedBuffer<ItemKey>
    /// `[N]`, below ``categoryCount``; 0 is unknown.
    public let categories: SharedBuffer<UInt32>
    public let categoryCount: Int
    /// `[N]`, below ``authorCount``; 0 is unknown. Known authors are numbered by ascending key.
    public let authors: SharedBuffer<UInt32>
    public let authorCount: Int
    /// `[N]`, milliseconds since 1970; 0 is unknown.
    public let publishTimes: SharedBuffer<Int64>
    /// `[N]`, log(1 + seconds); 0 is unknown.
    public let logDurations: SharedBuffer<Float>
    /// `[N]`, below ``cityCount``; 0 is unknown. Known cities are numbered by ascending key.
    public let cities: SharedBuffer<UInt32>
    public let cityCount: Int
    /// `[N]`, 0...1; NaN is unknown.
    public let qualities: SharedBuffer<Float>
    /// `[N]`, 0 or more; NaN is unknown.
    public let prices: SharedBuffer<Float>
    public let tags: ItemTags
    /// `[N]`, ``GeoHash/key`` of the place's cell; 0 is unknown.
    public let cells: SharedBuffer<UInt64>

    public var count: Int { keys.count }

    /// - Complexity: O(N log N), for the authors.
    public init(_ items: ItemTable) {
        keys = items.keys
        categories = items.categories
        categoryCount = max(items.categoryNames.count, Int(items.categories.max() ?? 0) + 1)
        (authors, authorCount) = Self.numbered(items.authors)
        (cities, cityCount) = Self.numbered(items.cities)
        qualities = items.qualities
        prices = items.prices
        tags = items.tags
        cells = SharedBuffer((0..<items.count).map { items.place(of: $0)?.cell.key ?? 0 })
        publishTimes = items.publishTimes
        logDurations = SharedBuffer(items.durations.map { logPlusOne(max($0, 0)) })
    }

    /// Keys as numbers by ascending key, from 1; 0 stays 0.
    private static func numbered(_ keys: SharedBuffer<UInt64>) -> (numbers: SharedBuffer<UInt32>, count: Int) {
        let known = Set(keys).subtracting([0]).sorted()
        var number: [UInt64: UInt32] = [0: 0]
        for (index, key) in known.enumerated() { number[key] = UInt32(index + 1) }
        return (SharedBuffer(keys.map { number[$0] ?? 0 }), known.count + 1)
    }

    /// What the models read of an item.
    public func features(of row: Int) -> ItemFeatures {
        ItemFeatures(
            category: categories[row], author: authors[row], publishTime: publishTimes[row],
            logDuration: logDurations[row], city: cities[row], quality: qualities[row], price: prices[row],
            cell: cells[row])
    }

    /// The tags of an item, rows of the names.
    public func tags(of row: Int) -> [UInt32] { tags.range(of: row).map { tags.rows[$0] } }
}
