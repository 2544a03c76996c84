import Kernels

/// Inputs of the item towers for n items. Indices are rows of embedding tables; row 0 is what the model has never seen.
public struct ItemInputs: Sendable {
    /// `[n]`, 1 + catalogue row.
    public private(set) var items: [UInt32] = []
    public private(set) var categories: [UInt32] = []
    public private(set) var authors: [UInt32] = []
    /// `[n]`, log(1 + seconds) / 5.
    public private(set) var durations: [Float] = []
    /// `[n]`, ``FeatureEncoder/age(published:now:)``.
    public private(set) var ages: [Float] = []

    public init() {}

    /// Inputs made elsewhere, as they are: for tests against stored numbers.
    package init(items: [UInt32], categories: [UInt32], authors: [UInt32], durations: [Float], ages: [Float]) {
        self.items = items
        self.categories = categories
        self.authors = authors
        self.durations = durations
        self.ages = ages
    }

    public var count: Int { items.count }

    /// Keeps the memory.
    public mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
        categories.removeAll(keepingCapacity: true)
        authors.removeAll(keepingCapacity: true)
        durations.removeAll(keepingCapacity: true)
        ages.removeAll(keepingCapacity: true)
    }

    /// An item that the catalogue does not have: its id is the one the model has never seen.
    public mutating func append(_ item: ItemFeatures, age: Float) {
        items.append(0)
        categories.append(item.category)
        authors.append(item.author)
        durations.append(item.logDuration / 5)
        ages.append(age)
    }

    /// - Parameter isAnonymous: The item is presented as one the model has never seen.
    public mutating func append(
        row: UInt32, age: Float, columns: ItemFeatureColumns, isAnonymous: Bool = false
    ) {
        items.append(isAnonymous ? 0 : row + 1)
        categories.append(columns.categories[Int(row)])
        authors.append(columns.authors[Int(row)])
        durations.append(columns.logDurations[Int(row)] / 5)
        ages.append(age)
    }
}
