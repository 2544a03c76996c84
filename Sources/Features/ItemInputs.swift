import Catalog
import Kernels
public import Networks

/// Inputs of the item towers for n items. Indices are rows of embedding tables; row 0 is what the model has never seen.
public struct ItemInputs: Sendable {
    /// `[n]`, 1 + catalogue row.
    public private(set) var items: [UInt32] = []
    public private(set) var categories: [UInt32] = []
    public private(set) var authors: [UInt32] = []
    public private(set) var cities: [UInt32] = []
    /// `[n]` lists.
    public private(set) var tags = RaggedRows()
    /// `[n]`, log(1 + seconds) / 5.
    public private(set) var durations: [Float] = []
    /// `[n]`, ``FeatureEncoder/age(published:now:)``.
    public private(set) var ages: [Float] = []
    /// `[n]`, -1...1; 0 is unknown too.
    public private(set) var qualities: [Float] = []
    /// `[n]`, ``Buckets`` of the three.
    public private(set) var durationBuckets: [UInt32] = []
    public private(set) var ageBuckets: [UInt32] = []
    public private(set) var qualityBuckets: [UInt32] = []

    public init() {}

    /// Inputs made elsewhere, as they are: for tests against stored numbers. What is left out is unknown.
    package init(
        items: [UInt32], categories: [UInt32], authors: [UInt32], durations: [Float], ages: [Float],
        cities: [UInt32]? = nil, tags: RaggedRows? = nil, qualities: [Float]? = nil, durationBuckets: [UInt32]? = nil,
        ageBuckets: [UInt32]? = nil, qualityBuckets: [UInt32]? = nil
    ) {
        let unknown = [UInt32](repeating: 0, count: items.count)
        self.items = items
        self.categories = categories
        self.authors = authors
        self.durations = durations
        self.ages = ages
        self.cities = cities ?? unknown
        self.tags = tags ?? RaggedRows(rows: [], offsets: Array(repeating: 0, count: items.count + 1))
        self.qualities = qualities ?? Array(repeating: 0, count: items.count)
        self.durationBuckets = durationBuckets ?? unknown
        self.ageBuckets = ageBuckets ?? unknown
        self.qualityBuckets = qualityBuckets ?? unknown
    }

    public var count: Int { items.count }

    /// Keeps the memory.
    public mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
        categories.removeAll(keepingCapacity: true)
        authors.removeAll(keepingCapacity: true)
        cities.removeAll(keepingCapacity: true)
        tags.removeAll()
        durations.removeAll(keepingCapacity: true)
        ages.removeAll(keepingCapacity: true)
        qualities.removeAll(keepingCapacity: true)
        durationBuckets.removeAll(keepingCapacity: true)
        ageBuckets.removeAll(keepingCapacity: true)
        qualityBuckets.removeAll(keepingCapacity: true)
    }

    /// An item that the catalogue does not have: its id is the one the model has never seen, its tags are not known.
    public mutating func append(_ item: ItemFeatures, age: Float) {
        append(item, id: 0, age: age)
        tags.offsets.append(tags.rows.count)
    }

    /// - Parameter isAnonymous: The item is presented as one the model has never seen.
    public mutating func append(
        row: UInt32, age: Float, columns: ItemFeatureColumns, isAnonymous: Bool = false
    ) {
        let place = Int(row)
        append(columns.features(of: place), id: isAnonymous ? 0 : row + 1, age: age)
        for tag in columns.tags.range(of: place) { tags.rows.append(columns.tags.rows[tag]) }
        tags.offsets.append(tags.rows.count)
    }

    private mutating func append(_ item: ItemFeatures, id: UInt32, age: Float) {
        items.append(id)
        categories.append(item.category)
        authors.append(item.author)
        cities.append(item.city)
        durations.append(item.logDuration / 5)
        ages.append(age)
        qualities.append(item.quality.isNaN ? 0 : 2 * item.quality - 1)
        durationBuckets.append(Buckets.duration(logSeconds: item.logDuration))
        ageBuckets.append(Buckets.age(age))
        qualityBuckets.append(Buckets.quality(item.quality))
    }

    /// The same items with some of what is known of them put to the unknown value.
    ///
    /// - Parameters:
    ///   - hidden: `[n]`, what is unknown.
    ///   - isKept: whether tag `place` of item `row`, whose tags are not hidden, stays.
    public func hiding(
        _ hidden: [ItemAttributes], keepingTags isKept: (_ row: Int, _ place: Int) -> Bool = { _, _ in true }
    ) -> ItemInputs {
        precondition(hidden.count == count, "a set for every item")
        var result = self
        result.tags.removeAll()
        let unknownAge = FeatureEncoder.age(published: 0, now: 0)
        for (row, hidden) in hidden.enumerated() {
            if hidden.contains(.item) { result.items[row] = 0 }
            if hidden.contains(.category) { result.categories[row] = 0 }
            if hidden.contains(.author) { result.authors[row] = 0 }
            if hidden.contains(.city) { result.cities[row] = 0 }
            if hidden.contains(.duration) { (result.durations[row], result.durationBuckets[row]) = (0, 0) }
            if hidden.contains(.age) { (result.ages[row], result.ageBuckets[row]) = (unknownAge, 0) }
            if hidden.contains(.quality) { (result.qualities[row], result.qualityBuckets[row]) = (0, 0) }
            let own = hidden.contains(.tags) ? 0..<0 : tags.offsets[row]..<tags.offsets[row + 1]
            for (place, tag) in own.enumerated() where isKept(row, place) { result.tags.rows.append(tags.rows[tag]) }
            result.tags.offsets.append(result.tags.rows.count)
        }
        return result
    }
}
