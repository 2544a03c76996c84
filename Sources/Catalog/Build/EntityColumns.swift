import Kernels

/// What is told of one item; empty strings and zeros are unknown.
public struct ItemDetails: Sendable, Hashable {
    public var title: String
    public var category: String
    /// Public id of the author.
    public var author: String
    /// Milliseconds since 1970.
    public var publishMilliseconds: Int64
    public var durationSeconds: Float
    public var place: Place?
    public var city: String
    /// 0...1; nil is unknown.
    public var quality: Float?
    /// 0...``ItemTable/priceMax``; nil is unknown.
    public var price: Float?
    public var tags: [String]

    public init(
        title: String = "", category: String = "", author: String = "", publishMilliseconds: Int64 = 0,
        durationSeconds: Float = 0, place: Place? = nil, city: String = "", quality: Float? = nil,
        price: Float? = nil, tags: [String] = []
    ) {
        self.tags = tags
        self.place = place
        self.city = city
        self.quality = quality
        self.price = price
        self.title = title
        self.category = category
        self.author = author
        self.publishMilliseconds = publishMilliseconds
        self.durationSeconds = durationSeconds
    }
}

/// The items of a data set being built, in order of first appearance.
package struct ItemColumns: Sendable {
    package var ids = InternedStrings(kind: "item id")
    private var categories = InternedStrings(kind: "category", first: [""])
    private var titles: [String] = []
    private var categoryRows: [UInt32] = []
    private var authors: [UInt64] = []
    private var publishTimes: [Int64] = []
    private var durations: [Float] = []
    private var latitudes: [Float] = []
    private var longitudes: [Float] = []
    private var cities: [UInt64] = []
    private var qualities: [Float] = []
    private var prices: [Float] = []
    private var tagNames = InternedStrings(kind: "tag", first: [""])
    private var tags: [[UInt32]] = []

    /// Replaces what is known of the item in `row`; false if the category or a tag is too long or not UTF-8.
    package mutating func set(_ row: UInt32, to details: ItemDetails) throws(CatalogError) -> Bool {
        guard let category = try categories.row(of: details.category) else { return false }
        var tagRows: [UInt32] = []
        for tag in details.tags.prefix(ItemTags.perItemMax) where !tag.isEmpty {
            guard let tagRow = try tagNames.row(of: tag) else { return false }
            if !tagRows.contains(tagRow) { tagRows.append(tagRow) }
        }
        pad()
        let row = Int(row)
        tags[row] = tagRows
        titles[row] = details.title
        categoryRows[row] = category
        authors[row] = details.author.isEmpty ? 0 : PublicID.key(of: details.author)
        publishTimes[row] = details.publishMilliseconds
        durations[row] = details.durationSeconds
        latitudes[row] = Float(details.place?.latitude ?? .nan)
        longitudes[row] = Float(details.place?.longitude ?? .nan)
        cities[row] = details.city.isEmpty ? 0 : PublicID.key(of: details.city)
        qualities[row] = details.quality ?? .nan
        prices[row] = details.price ?? .nan
        return true
    }

    /// Gives items that were only seen in events unknown details.
    private mutating func pad() {
        let missing = ids.count - titles.count
        guard missing > 0 else { return }
        titles.append(contentsOf: repeatElement("", count: missing))
        categoryRows.append(contentsOf: repeatElement(0, count: missing))
        authors.append(contentsOf: repeatElement(0, count: missing))
        publishTimes.append(contentsOf: repeatElement(0, count: missing))
        durations.append(contentsOf: repeatElement(0, count: missing))
        latitudes.append(contentsOf: repeatElement(.nan, count: missing))
        longitudes.append(contentsOf: repeatElement(.nan, count: missing))
        cities.append(contentsOf: repeatElement(0, count: missing))
        qualities.append(contentsOf: repeatElement(.nan, count: missing))
        prices.append(contentsOf: repeatElement(.nan, count: missing))
        tags.append(contentsOf: repeatElement([], count: missing))
    }

    consuming func table(_ order: KeyOrder) -> ItemTable {
        pad()
        let rows = order.rows
        return ItemTable(
            keys: SharedBuffer(rows.map { ItemKey(rawValue: ids.keys[$0]) }), publicIDs: ids.table(rows),
            titles: StringTable(rows.lazy.map { titles[$0] }), categories: SharedBuffer(rows.map { categoryRows[$0] }),
            categoryNames: categories.table(), authors: SharedBuffer(rows.map { authors[$0] }),
            publishTimes: SharedBuffer(rows.map { publishTimes[$0] }),
            durations: SharedBuffer(rows.map { durations[$0] }),
            latitudes: SharedBuffer(rows.map { latitudes[$0] }), longitudes: SharedBuffer(rows.map { longitudes[$0] }),
            cities: SharedBuffer(rows.map { cities[$0] }), qualities: SharedBuffer(rows.map { qualities[$0] }),
            prices: SharedBuffer(rows.map { prices[$0] }), tags: tagTable(rows))
    }

    private func tagTable(_ rows: [Int]) -> ItemTags {
        var offsets: [UInt64] = [0]
        for row in rows { offsets.append(offsets[offsets.count - 1] + UInt64(tags[row].count)) }
        return ItemTags(
            names: tagNames.table(), offsets: SharedBuffer(offsets), rows: SharedBuffer(rows.flatMap { tags[$0] }))
    }
}

/// The users of a data set being built, in order of first appearance.
package struct UserColumns: Sendable {
    package var ids = InternedStrings(kind: "user id")
    private var fields: [CategoryColumn]

    init(fields names: [String]) {
        fields = names.map { CategoryColumn($0) }
    }

    /// - Returns: the position of the new field.
    package mutating func addField(_ name: String) -> Int {
        fields.append(CategoryColumn(name))
        return fields.count - 1
    }

    package mutating func set(field: Int, of user: UInt32, to value: String) throws(CatalogError) -> Bool {
        precondition(fields.indices.contains(field), "a field the builder was told of")
        guard let value = try fields[field].row(of: value) else { return false }
        fields[field].set(Int(user), to: value)
        return true
    }

    consuming func table(_ order: KeyOrder) -> UserTable {
        let rows = order.rows
        return UserTable(
            keys: SharedBuffer(rows.map { UserKey(rawValue: ids.keys[$0]) }), publicIDs: ids.table(rows),
            fields: fields.map { $0.field(rows) })
    }
}
