public import Kernels

/// An imported or generated world: who the users are, what the items are, and what was shown to whom.
public struct Dataset: Sendable {
    public var name: String
    public var users: UserTable
    public var items: ItemTable
    /// Oldest first.
    public var exposures: ExposureTable
    /// Who follows which author, as far as it is told apart from showings; following after a showing is an action there.
    public var follows: FollowTable
    /// What recall offered and ranking did not let through, as far as it was logged.
    public var rejected: RejectedTable

    public init(
        name: String, users: UserTable, items: ItemTable, exposures: ExposureTable,
        follows: FollowTable = FollowTable(), rejected: RejectedTable = RejectedTable()
    ) {
        self.name = name
        self.users = users
        self.items = items
        self.exposures = exposures
        self.follows = follows
        self.rejected = rejected
    }
}

/// Items, ascending by key; the columns are parallel.
public struct ItemTable: Sendable {
    public var keys: SharedBuffer<ItemKey>
    public var publicIDs: StringTable
    public var titles: StringTable
    /// Row in `categoryNames`; row 0 is the unknown category.
    public var categories: SharedBuffer<UInt32>
    public var categoryNames: StringTable
    /// Key of the author; 0 is unknown.
    public var authors: SharedBuffer<UInt64>
    /// Milliseconds since 1970; 0 is unknown.
    public var publishTimes: SharedBuffer<Int64>
    /// Seconds; 0 is unknown or meaningless.
    public var durations: SharedBuffer<Float>
    /// Degrees; NaN is unknown, and both are or neither is.
    public var latitudes: SharedBuffer<Float>
    public var longitudes: SharedBuffer<Float>
    /// Key of the city's name, as of a public id; 0 is unknown.
    public var cities: SharedBuffer<UInt64>
    /// How good the item is, 0...1; NaN is unknown.
    public var qualities: SharedBuffer<Float>
    /// In the shop's own currency, 0...``priceMax``; NaN is unknown.
    public var prices: SharedBuffer<Float>
    public var tags: ItemTags

    /// More is a mistaken unit or column, in any currency.
    public static let priceMax = 1e12

    /// Columns left out are unknown for every item.
    public init(
        keys: SharedBuffer<ItemKey>, publicIDs: StringTable, titles: StringTable, categories: SharedBuffer<UInt32>,
        categoryNames: StringTable, authors: SharedBuffer<UInt64>, publishTimes: SharedBuffer<Int64>,
        durations: SharedBuffer<Float>, latitudes: SharedBuffer<Float>? = nil, longitudes: SharedBuffer<Float>? = nil,
        cities: SharedBuffer<UInt64>? = nil, qualities: SharedBuffer<Float>? = nil,
        prices: SharedBuffer<Float>? = nil, tags: ItemTags? = nil
    ) {
        self.tags = tags ?? ItemTags(items: keys.count)
        let unknown = SharedBuffer([Float](repeating: .nan, count: keys.count))
        self.latitudes = latitudes ?? unknown
        self.longitudes = longitudes ?? unknown
        self.cities = cities ?? SharedBuffer([UInt64](repeating: 0, count: keys.count))
        self.qualities = qualities ?? unknown
        self.prices = prices ?? unknown
        self.keys = keys
        self.publicIDs = publicIDs
        self.titles = titles
        self.categories = categories
        self.categoryNames = categoryNames
        self.authors = authors
        self.publishTimes = publishTimes
        self.durations = durations
    }

    public var count: Int { keys.count }

    /// Where the item is.
    public func place(of row: Int) -> Place? {
        Place(latitude: Double(latitudes[row]), longitude: Double(longitudes[row]))
    }
}

/// Keywords, genres and the like: any number for each item.
public struct ItemTags: Sendable {
    /// Tags of one item; more are cut.
    public static let perItemMax = 64

    /// Row 0 is the unknown tag, which no item has.
    public var names: StringTable
    /// `[items + 1]`, ascending from 0 to `rows.count`.
    public var offsets: SharedBuffer<UInt64>
    /// Rows of `names`, an item's in the order in which they are told.
    public var rows: SharedBuffer<UInt32>

    public init(names: StringTable, offsets: SharedBuffer<UInt64>, rows: SharedBuffer<UInt32>) {
        self.names = names
        self.offsets = offsets
        self.rows = rows
    }

    /// No tags.
    public init(items: Int) {
        self.init(names: StringTable([""]), offsets: SharedBuffer([UInt64](repeating: 0, count: items + 1)), rows: [])
    }

    /// Where the tags of an item are among the rows.
    public func range(of item: Int) -> Range<Int> { Int(offsets[item])..<Int(offsets[item + 1]) }
}

/// Users following authors, oldest first; the columns are parallel.
public struct FollowTable: Sendable {
    /// Rows of the user table.
    public var users: SharedBuffer<UInt32>
    /// Keys of authors.
    public var authors: SharedBuffer<UInt64>
    /// Milliseconds since 1970, ascending; 0 is unknown: before the log.
    public var times: SharedBuffer<Int64>

    public init(
        users: SharedBuffer<UInt32> = [], authors: SharedBuffer<UInt64> = [], times: SharedBuffer<Int64> = []
    ) {
        self.users = users
        self.authors = authors
        self.times = times
    }

    public var count: Int { users.count }

    /// Follows before a moment, milliseconds since 1970.
    public func prefix(before moment: Int64) -> FollowTable {
        let end = times.indices.partitioningIndex { times[$0] >= moment }
        return FollowTable(
            users: SharedBuffer(users.prefix(end)), authors: SharedBuffer(authors.prefix(end)),
            times: SharedBuffer(times.prefix(end)))
    }
}

/// Candidates of requests that never reached a page: the pre-ranker left them out, or the ranker put them at the bottom.
/// Oldest first; the columns are parallel.
///
/// Nobody saw them. What was shown and not clicked is in the exposures, and is no rejected candidate.
public struct RejectedTable: Sendable {
    /// Rows of the user table.
    public var users: SharedBuffer<UInt32>
    /// Rows of the item table.
    public var items: SharedBuffer<UInt32>
    /// When the request was made: milliseconds since 1970, ascending.
    public var times: SharedBuffer<Int64>

    public init(users: SharedBuffer<UInt32> = [], items: SharedBuffer<UInt32> = [], times: SharedBuffer<Int64> = []) {
        self.users = users
        self.items = items
        self.times = times
    }

    public var count: Int { users.count }
}

/// Users, ascending by key; the columns are parallel.
public struct UserTable: Sendable {
    public var keys: SharedBuffer<UserKey>
    public var publicIDs: StringTable
    public var fields: [CategoricalField]

    public init(keys: SharedBuffer<UserKey>, publicIDs: StringTable, fields: [CategoricalField]) {
        self.keys = keys
        self.publicIDs = publicIDs
        self.fields = fields
    }

    public var count: Int { keys.count }
}

/// A named column of categorical values.
public struct CategoricalField: Sendable {
    public var name: String
    /// The distinct values; row 0 is the unknown value.
    public var vocabulary: StringTable
    /// A row of `vocabulary` for each row of the table that the field belongs to.
    public var values: SharedBuffer<UInt32>

    public init(name: String, vocabulary: StringTable, values: SharedBuffer<UInt32>) {
        self.name = name
        self.vocabulary = vocabulary
        self.values = values
    }
}

/// Showings with what followed, oldest first; the columns are parallel.
///
/// A row without ``Actions/impression`` is something a user did with an item while the log holds no showing of it
/// (ratings, purchases, history from before the log). It belongs to histories and to co-occurrence; click rates are
/// learned from the rows with ``Actions/impression`` alone.
public struct ExposureTable: Sendable {
    /// Rows of the user table.
    public var users: SharedBuffer<UInt32>
    /// Rows of the item table.
    public var items: SharedBuffer<UInt32>
    /// Milliseconds since 1970, ascending.
    public var times: SharedBuffer<Int64>
    /// ``Actions`` bits.
    public var actions: SharedBuffer<UInt16>
    public var watchSeconds: SharedBuffer<Float>
    /// Row in `surfaceNames`; row 0 is unknown.
    public var surfaces: SharedBuffer<UInt16>
    public var surfaceNames: StringTable
    /// What else was told of the scenes: device, network, city ...
    public var contexts: [CategoricalField]
    /// False when no showing in the log stayed without a click (ratings, purchases), so that no click rate can be
    /// learned from it as it stands.
    public var hasNegatives: Bool

    public init(
        users: SharedBuffer<UInt32>, items: SharedBuffer<UInt32>, times: SharedBuffer<Int64>,
        actions: SharedBuffer<UInt16>, watchSeconds: SharedBuffer<Float>, surfaces: SharedBuffer<UInt16>,
        surfaceNames: StringTable, contexts: [CategoricalField] = [], hasNegatives: Bool
    ) {
        self.users = users
        self.items = items
        self.times = times
        self.actions = actions
        self.watchSeconds = watchSeconds
        self.surfaces = surfaces
        self.surfaceNames = surfaceNames
        self.contexts = contexts
        self.hasNegatives = hasNegatives
    }

    public var count: Int { users.count }

    /// Where and when a row was shown.
    public func scene(of row: Int) -> Scene {
        Scene(timeMilliseconds: times[row], surface: surfaces[row], contexts: contexts.map { $0.values[row] })
    }

    /// The first row at or after a moment, milliseconds since 1970: how many came before it.
    ///
    /// - Complexity: O(log n).
    public func firstRow(notBefore moment: Int64) -> Int {
        times.indices.partitioningIndex { times[$0] >= moment }
    }

    /// The first row after a moment, milliseconds since 1970.
    ///
    /// - Complexity: O(log n).
    public func firstRow(after moment: Int64) -> Int {
        times.indices.partitioningIndex { times[$0] > moment }
    }

    /// The showings in `rows`, ascending.
    public func subset(_ rows: [Int]) -> ExposureTable {
        ExposureTable(
            users: SharedBuffer(rows.map { users[$0] }), items: SharedBuffer(rows.map { items[$0] }),
            times: SharedBuffer(rows.map { times[$0] }), actions: SharedBuffer(rows.map { actions[$0] }),
            watchSeconds: SharedBuffer(rows.map { watchSeconds[$0] }),
            surfaces: SharedBuffer(rows.map { surfaces[$0] }), surfaceNames: surfaceNames,
            contexts: contexts.map { field in
                CategoricalField(
                    name: field.name, vocabulary: field.vocabulary,
                    values: SharedBuffer(rows.map { field.values[$0] }))
            }, hasNegatives: hasNegatives)
    }
}
