import Catalog
import Kernels

/// Running counts per item, and what they sum to per category, author, surface and over everything.
public struct ActivityStatistics: Sendable {
    /// `[N]`, catalogue row order.
    public private(set) var items: [ActivityCounts]
    public private(set) var categories: [ActivityCounts]
    public private(set) var authors: [ActivityCounts]
    public private(set) var surfaces: [ActivityCounts]
    public private(set) var total = ActivityCounts()

    public init(columns: ItemFeatureColumns, surfaceCount: Int) {
        items = Array(repeating: ActivityCounts(), count: columns.count)
        categories = Array(repeating: ActivityCounts(), count: columns.categoryCount)
        authors = Array(repeating: ActivityCounts(), count: columns.authorCount)
        surfaces = Array(repeating: ActivityCounts(), count: max(surfaceCount, 1))
    }

    /// The statistics whose items and surfaces were counted elsewhere: what a snapshot ships.
    ///
    /// - Complexity: O(N).
    public init(columns: ItemFeatureColumns, items: [ActivityCounts], surfaces: [ActivityCounts]) {
        precondition(items.count == columns.count, "one count per item")
        self.init(columns: columns, surfaceCount: surfaces.count)
        self.items = items
        for (index, counts) in surfaces.enumerated() { self.surfaces[index] = counts }
        for (row, counts) in items.enumerated() {
            categories[Int(columns.categories[row])].add(counts)
            authors[Int(columns.authors[row])].add(counts)
            total.add(counts)
        }
    }

    /// Counts one showing.
    ///
    /// - Complexity: O(1).
    public mutating func add(item row: Int, surface: Int, outcome: Outcome, columns: ItemFeatureColumns) {
        var counts = ActivityCounts()
        counts.add(outcome)
        add(counts, item: row, surface: surface, columns: columns)
    }

    /// Counts what happened to an item, without its having been a showing as a whole.
    ///
    /// - Parameter surface: nil counts for none.
    /// - Complexity: O(1).
    public mutating func add(_ counts: ActivityCounts, item row: Int, surface: Int?, columns: ItemFeatureColumns) {
        items[row].add(counts)
        categories[Int(columns.categories[row])].add(counts)
        authors[Int(columns.authors[row])].add(counts)
        if let surface { surfaces[surface < surfaces.count ? surface : 0].add(counts) }
        total.add(counts)
    }

    /// Counts of a surface; one that the log does not name counts as the unknown surface, 0.
    public func surface(_ index: UInt16) -> ActivityCounts {
        surfaces[Int(index) < surfaces.count ? Int(index) : 0]
    }
}
