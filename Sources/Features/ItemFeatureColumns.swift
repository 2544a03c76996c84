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

    public var count: Int { keys.count }

    /// - Complexity: O(N log N), for the authors.
    public init(_ items: ItemTable) {
        keys = items.keys
        categories = items.categories
        categoryCount = max(items.categoryNames.count, Int(items.categories.max() ?? 0) + 1)
        let known = Set(items.authors).subtracting([0]).sorted()
        var number: [UInt64: UInt32] = [0: 0]
        for (index, author) in known.enumerated() { number[author] = UInt32(index + 1) }
        authors = SharedBuffer(items.authors.map { number[$0] ?? 0 })
        authorCount = known.count + 1
        publishTimes = items.publishTimes
        logDurations = SharedBuffer(items.durations.map { logPlusOne(max($0, 0)) })
    }
}
