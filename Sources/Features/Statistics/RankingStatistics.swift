public import Catalog
import Kernels

/// One showing, or one later action, as statistics count it.
public struct StatisticsEvent: Hashable, Sendable {
    /// Catalogue row.
    public var item: Int
    /// nil, where it is not told, counts for none.
    public var surface: UInt16?
    /// The viewer's profile: one value index for each profile field of the data set.
    public var profile: [UInt32]
    public var timeMilliseconds: Int64
    public var actions: Actions
    public var watchSeconds: Float

    public init(
        item: Int, surface: UInt16?, profile: [UInt32], timeMilliseconds: Int64, actions: Actions, watchSeconds: Float
    ) {
        self.item = item
        self.surface = surface
        self.profile = profile
        self.timeMilliseconds = timeMilliseconds
        self.actions = actions
        self.watchSeconds = watchSeconds
    }
}

/// The windowed counts that a schema's features read: of items, of items by a profile field of their viewers, of authors,
/// categories and surfaces. Only what the schema asks for is kept.
public struct RankingStatistics: Sendable {
    /// A table, what its entities are, and of which of the viewer's profile fields it is a part for each value.
    public struct Part: Sendable {
        public let owner: StatisticsOwner
        /// nil when it is not split.
        public let split: String?
        /// Place of the field in a profile.
        let field: Int
        /// Values of the field; 1 when it is not split.
        let values: Int
        public internal(set) var table: WindowedTable
    }

    public private(set) var parts: [Part]
    private let columns: ItemFeatureColumns

    /// - Parameters:
    ///   - schema: validated, and resolved for the profile fields.
    ///   - profile: name and number of values of each profile field, in order.
    public init(schema: FeatureSchema, columns: ItemFeatureColumns, surfaceCount: Int, profile: [(String, Int)]) {
        self.columns = columns
        var needs: [PartKey: (windows: Set<StatisticsWindow>, counters: Set<Counter>)] = [:]
        for feature in schema.features {
            guard case .statistic(let owner, let statistic) = feature.parsedSource else { continue }
            let key = PartKey(owner: owner, split: owner == .item ? feature.split : nil)
            needs[key, default: ([], [])].windows.insert(feature.window ?? .all)
            needs[key, default: ([], [])].counters.formUnion(statistic.counters)
        }
        parts = needs.sorted { $0.key < $1.key }.map { key, need in
            let field = key.split.flatMap { name in profile.firstIndex { $0.0 == name } }
            let values = field.map { profile[$0].1 } ?? 1
            let owners =
                switch key.owner {
                case .item: columns.count
                case .author: columns.authorCount
                case .category: columns.categoryCount
                case .surface: max(surfaceCount, 1)
                }
            return Part(
                owner: key.owner, split: key.split, field: field ?? 0, values: values,
                table: WindowedTable(
                    entities: owners * values, windows: StatisticsWindow.allCases.filter(need.windows.contains),
                    counters: Counter.allCases.filter(need.counters.contains)))
        }
    }

    /// The same tables with counts that were stored.
    ///
    /// - Parameter stored: values and slots of a part of this owner, split and shape.
    public mutating func restore(_ stored: (Part) throws -> (values: [Float], slots: [Int32])) rethrows {
        for index in parts.indices {
            let table = parts[index].table
            let (values, slots) = try stored(parts[index])
            parts[index].table = WindowedTable(
                entities: table.entities, windows: table.windows, counters: table.counters, values: values, slots: slots
            )
        }
    }

    /// Counts what happened.
    ///
    /// - Complexity: O(parts * windows * counters).
    public mutating func record(_ event: StatisticsEvent) {
        for index in parts.indices {
            let value = parts[index].split == nil ? 0 : parts[index].value(in: event.profile)
            guard let entity = parts[index].entity(of: event.item, surface: event.surface, value: value, columns)
            else { continue }
            parts[index].table.add(
                entity, event.actions, watchSeconds: event.watchSeconds, at: event.timeMilliseconds)
        }
    }

    /// Floats and slot numbers that are kept.
    public var size: Int { parts.reduce(0) { $0 + $1.table.values.count + $1.table.slots.count } }

    func part(_ owner: StatisticsOwner, split: String?) -> Int? {
        parts.firstIndex { $0.owner == owner && $0.split == (owner == .item ? split : nil) }
    }

    private struct PartKey: Hashable, Comparable {
        var owner: StatisticsOwner
        var split: String?

        static func < (left: PartKey, right: PartKey) -> Bool {
            (left.owner.rawValue, left.split ?? "") < (right.owner.rawValue, right.split ?? "")
        }
    }
}

extension RankingStatistics.Part {
    /// The viewer's value of the field; the unknown one when a profile does not have it.
    func value(in profile: [UInt32]) -> Int {
        field < profile.count && Int(profile[field]) < values ? Int(profile[field]) : 0
    }

    /// nil for a surface that is not told.
    func entity(of item: Int, surface: UInt16?, value: Int, _ columns: ItemFeatureColumns) -> Int? {
        switch owner {
        case .item: item * values + value
        case .author: Int(columns.authors[item])
        case .category: Int(columns.categories[item])
        case .surface: surface.map { Int($0) < table.entities ? Int($0) : 0 }
        }
    }
}
