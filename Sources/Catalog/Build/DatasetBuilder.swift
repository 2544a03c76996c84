import Kernels

/// Collects users, items and events in any order and turns them into a data set.
///
/// Users and items get rows as they first appear, in events or by themselves; ``build()`` sorts them by key.
public struct DatasetBuilder: Sendable {
    /// An action joins a showing at most this much older unless the builder is told otherwise.
    public static let joinWindow: Duration = .seconds(86_400)

    /// What became of the log.
    public struct Outcome: Sendable {
        public var dataset: Dataset
        /// Rows dropped because an equal row came before them.
        public var duplicateEvents: Int
        /// Actions that joined a showing.
        public var joinedActions: Int
        /// Actions whose showing the log does not hold; each is an exposure of its own.
        public var unattachedActions: Int
    }

    public let name: String
    private let windowMilliseconds: Int64
    package var users: UserColumns
    package var items = ItemColumns()
    package var surfaces = InternedStrings(kind: "surface", first: [""], rowsMax: 1 << 16)
    /// Values by place in the log as it was read.
    private(set) var contexts: [CategoryColumn] = []
    private var events: [LoggedEvent] = []
    private var follows: [(user: UInt32, author: UInt64, time: Int64)] = []
    private var rejected: [(user: UInt32, item: UInt32, time: Int64)] = []

    public init(name: String, userFields: [String] = [], joinWindow: Duration = Self.joinWindow) {
        self.name = name
        users = UserColumns(fields: userFields)
        windowMilliseconds = joinWindow.components.seconds * 1000
    }

    public var eventCount: Int { events.count }

    /// - Parameter fields: values by position in the builder's user fields; "" is unknown.
    /// - Throws: `invalidInput` when an id or value is empty, too long or not UTF-8.
    @discardableResult
    public mutating func addUser(_ publicID: String, fields: [String] = []) throws(CatalogError) -> UInt32 {
        guard !publicID.isEmpty, let row = try users.ids.row(of: publicID) else {
            throw CatalogError(.invalidInput, "unusable user id \"\(publicID.prefix(80))\"")
        }
        for (field, value) in fields.enumerated() {
            guard try users.set(field: field, of: row, to: value) else {
                throw CatalogError(.invalidInput, "user \"\(publicID)\": unusable value \"\(value.prefix(80))\"")
            }
        }
        return row
    }

    @discardableResult
    public mutating func addItem(
        _ publicID: String, details: ItemDetails = ItemDetails()
    ) throws(CatalogError) -> UInt32 {
        guard !publicID.isEmpty, let row = try items.ids.row(of: publicID) else {
            throw CatalogError(.invalidInput, "unusable item id \"\(publicID.prefix(80))\"")
        }
        guard try items.set(row, to: details) else {
            throw CatalogError(.invalidInput, "item \"\(publicID)\": unusable category or author")
        }
        return row
    }

    public mutating func addSurface(_ name: String) throws(CatalogError) -> UInt16 {
        guard let row = try surfaces.row(of: name), let surface = UInt16(exactly: row) else {
            throw CatalogError(.invalidInput, "unusable surface \"\(name.prefix(80))\", or more than 65535 of them")
        }
        return surface
    }

    /// - Parameters:
    ///   - user: a row returned by ``addUser(_:fields:)``.
    ///   - item: a row returned by ``addItem(_:details:)``.
    public mutating func addEvent(
        user: UInt32, item: UInt32, timeMilliseconds: Int64, actions: Actions, watchSeconds: Float = 0,
        surface: UInt16 = 0
    ) {
        precondition(Int(user) < users.ids.count && Int(item) < items.ids.count, "rows come from this builder")
        append(
            LoggedEvent(
                user: user, item: item, time: timeMilliseconds, actions: actions, watchSeconds: watchSeconds,
                surface: surface))
    }

    /// - Parameters:
    ///   - user: a row returned by ``addUser(_:fields:)``.
    ///   - author: the author's public id.
    ///   - timeMilliseconds: 0 is unknown: before the log.
    public mutating func addFollow(user: UInt32, author: String, timeMilliseconds: Int64) {
        precondition(Int(user) < users.ids.count, "rows come from this builder")
        follows.append((user, PublicID.key(of: author), timeMilliseconds))
    }

    /// A candidate that ranking left out of a page.
    ///
    /// - Parameters:
    ///   - user: a row returned by ``addUser(_:fields:)``.
    ///   - item: a row returned by ``addItem(_:details:)``.
    public mutating func addRejected(user: UInt32, item: UInt32, timeMilliseconds: Int64) {
        precondition(Int(user) < users.ids.count && Int(item) < items.ids.count, "rows come from this builder")
        rejected.append((user, item, timeMilliseconds))
    }

    /// - Parameter contexts: rows of the context fields' values; fields left out are unknown.
    package mutating func append(_ event: LoggedEvent, contexts values: [UInt32] = []) {
        for (field, value) in values.enumerated() { contexts[field].set(events.count, to: value) }
        var event = event
        event.origin = UInt32(truncatingIfNeeded: events.count)
        events.append(event)
    }

    /// Folds the events into exposures and sorts the tables.
    ///
    /// - Throws: `empty` when no event, user or item is left.
    /// - Complexity: O(events + u log u + i log i).
    public consuming func build() throws(CatalogError) -> Outcome {
        guard !events.isEmpty else {
            throw CatalogError(.empty, "\(name): no usable event, so there is no data set to build")
        }
        guard events.count < Int(UInt32.max) else {
            throw CatalogError(.invalidInput, "\(name): \(events.count) events; a data set holds fewer than 2^32")
        }
        let counts = EventFolding.fold(
            &events, users: users.ids.count, items: items.ids.count, windowMilliseconds: windowMilliseconds)
        let userOrder = KeyOrder(users.ids.keys)
        let itemOrder = KeyOrder(items.ids.keys)
        let dataset = Dataset(
            name: name, users: users.table(userOrder), items: items.table(itemOrder),
            exposures: exposures(userOrder, itemOrder), follows: followTable(userOrder),
            rejected: rejectedTable(userOrder, itemOrder))
        return Outcome(
            dataset: dataset, duplicateEvents: counts.duplicates, joinedActions: counts.joined,
            unattachedActions: counts.unattached)
    }

    private func followTable(_ userOrder: KeyOrder) -> FollowTable {
        let rows = follows.map { (time: $0.time, user: userOrder.ranks[Int($0.user)], author: $0.author) }.sorted {
            $0 < $1
        }
        return FollowTable(
            users: SharedBuffer(rows.map(\.user)), authors: SharedBuffer(rows.map(\.author)),
            times: SharedBuffer(rows.map(\.time)))
    }

    private func rejectedTable(_ userOrder: KeyOrder, _ itemOrder: KeyOrder) -> RejectedTable {
        let rows = rejected.map {
            (time: $0.time, user: userOrder.ranks[Int($0.user)], item: itemOrder.ranks[Int($0.item)])
        }.sorted { $0 < $1 }
        return RejectedTable(
            users: SharedBuffer(rows.map(\.user)), items: SharedBuffer(rows.map(\.item)),
            times: SharedBuffer(rows.map(\.time)))
    }

    private func exposures(_ userOrder: KeyOrder, _ itemOrder: KeyOrder) -> ExposureTable {
        let hasNegatives = events.contains { $0.actions.contains(.impression) && !$0.actions.contains(.click) }
        return ExposureTable(
            users: SharedBuffer(events.map { userOrder.ranks[Int($0.user)] }),
            items: SharedBuffer(events.map { itemOrder.ranks[Int($0.item)] }),
            times: SharedBuffer(events.map(\.time)), actions: SharedBuffer(events.map(\.actions.rawValue)),
            watchSeconds: SharedBuffer(events.map(\.watchSeconds)), surfaces: SharedBuffer(events.map(\.surface)),
            surfaceNames: surfaces.table(), contexts: contexts.map { $0.field(events.lazy.map { Int($0.origin) }) },
            hasNegatives: hasNegatives)
    }
}

extension DatasetBuilder {
    /// Adds a field of what is told of scenes.
    ///
    /// - Returns: its place among the context fields.
    mutating func addContext(_ name: String) -> Int {
        contexts.append(CategoryColumn(name, valuesMax: ExposureTable.contextValuesMax))
        return contexts.count - 1
    }

    /// The row of a context field's value, 0 of an empty one; nil when it is unusable or there are too many.
    mutating func contextRow(_ value: UnsafeRawBufferPointer, field: Int) throws(CatalogError) -> UInt32? {
        try contexts[field].row(ofUTF8: value)
    }

    mutating func contextRow(_ value: String, field: Int) throws(CatalogError) -> UInt32? {
        try contexts[field].row(of: value)
    }
}

/// Where rows stand when they are sorted by key.
struct KeyOrder {
    /// Rows, ascending by key.
    let rows: [Int]
    /// Per row, its place in `rows`.
    let ranks: [UInt32]

    /// - Complexity: O(n log n).
    init(_ keys: [UInt64]) {
        let rows = keys.indices.sorted { keys[$0] < keys[$1] }
        var ranks = [UInt32](repeating: 0, count: keys.count)
        for (rank, row) in rows.enumerated() { ranks[row] = UInt32(truncatingIfNeeded: rank) }
        self.rows = rows
        self.ranks = ranks
    }
}
