public import Catalog
import Kernels

/// What a data set has for features to read: an optional feature of what it lacks is left out.
public struct FeatureSupply: Hashable, Sendable {
    /// Names of the profile fields, in order.
    public var profile: [String]
    /// Names of the context fields, in order.
    public var contexts: [String]
    /// What happened in the log. Impressions and clicks are taken to have.
    public var counters: Set<Counter>
    /// What is known of some item.
    public var itemColumns: Set<FeatureSource.ItemColumn>

    /// A data set that has everything, with these fields.
    public init(profile: [String], contexts: [String] = []) {
        self.profile = profile
        self.contexts = contexts
        counters = Set(Counter.allCases)
        itemColumns = Set(FeatureSource.ItemColumn.allCases)
    }

    /// - Parameter rows: of the log.
    /// - Complexity: O(rows + items).
    public init(_ dataset: Dataset, rows: Range<Int>) {
        let log = dataset.exposures
        let happened = rows.reduce(into: Actions()) { $0.formUnion(Actions(rawValue: log.actions[$1])) }
        profile = dataset.users.fields.map(\.name)
        contexts = log.contexts.map(\.name)
        counters = Set(
            Counter.allCases.filter { counter in
                counter.action.map(happened.contains) ?? rows.contains { log.watchSeconds[$0] > 0 }
            })
        counters.formUnion([.impressions, .clicks])
        itemColumns = Set(FeatureSource.ItemColumn.allCases.filter { Self.isTold($0, by: dataset.items) })
    }

    /// Whether it has what a source reads; of fields ``profile`` and ``contexts`` tell.
    func has(_ source: FeatureSource) -> Bool {
        switch source {
        case .item(let column): itemColumns.contains(column)
        case .user(let statistic), .statistic(_, let statistic): statistic.counters.isSubset(of: counters)
        default: true
        }
    }

    private static func isTold(_ column: FeatureSource.ItemColumn, by items: ItemTable) -> Bool {
        switch column {
        case .id: true
        case .category: items.categories.contains { $0 != 0 }
        case .author: items.authors.contains { $0 != 0 }
        case .city: items.cities.contains { $0 != 0 }
        case .tags: !items.tags.rows.isEmpty
        case .geohash: items.latitudes.contains { !$0.isNaN }
        case .duration: items.durations.contains { $0 > 0 }
        case .age: items.publishTimes.contains { $0 > 0 }
        case .quality: items.qualities.contains { !$0.isNaN }
        case .price: items.prices.contains { !$0.isNaN }
        }
    }
}
