import Catalog
import Features
import Kernels
import Models

/// What statistics say of every item, category and author, ready to be read for each candidate.
struct SignalTable {
    private var statistics: ActivityStatistics
    private let priors: RatePriors
    /// `[N]`; what they say of categories and authors is in the arrays of these.
    private var items: [Item]
    private var categories: [Float]
    private var authors: [Float]

    /// An item of the catalogue, all that is read of it in one place of the memory.
    struct Item {
        var features: ItemFeatures
        var signals: ItemSignals
    }

    init(_ statistics: ActivityStatistics, columns: ItemFeatureColumns, priors: RatePriors) {
        self.statistics = statistics
        self.priors = priors
        items = (0..<columns.count).map {
            Item(
                features: columns.features(of: $0),
                signals: ItemSignals(row: $0, statistics: statistics, columns: columns, priors: priors))
        }
        // Number 0 is the unknown one, of which nothing is said.
        categories = [0] + statistics.categories.dropFirst().map { priors.category.deviation($0) }
        authors = [0] + statistics.authors.dropFirst().map { priors.author.deviation($0) }
    }

    func surface(_ index: UInt16) -> ActivityCounts { statistics.surface(index) }

    /// Asks for what is read of a catalogue row to be brought into the cache.
    func prefetch(_ row: Int) {
        items.withUnsafeBufferPointer { items in
            guard let base = items.baseAddress else { return }
            let floats = MemoryLayout<Item>.stride / MemoryLayout<Float>.stride
            (base + row).withMemoryRebound(to: Float.self, capacity: floats) { kernels.prefetch($0, count: floats) }
        }
    }

    /// What the models read of a catalogue row.
    func features(of row: Int) -> ItemFeatures { items[row].features }

    /// Of a catalogue row.
    ///
    /// - Complexity: O(1).
    func of(row: Int) -> Item {
        var item = items[row]
        item.signals.categoryLogOdds = categories[Int(item.features.category)]
        item.signals.authorLogOdds = authors[Int(item.features.author)]
        return item
    }

    /// Of an item that the catalogue does not have.
    func of(_ item: ItemFeatures) -> ItemSignals { ItemSignals(item, statistics: statistics, priors: priors) }

    /// Counts one event.
    mutating func record(_ event: LiveEvent, row: Int, surface: UInt16?, columns: ItemFeatureColumns) {
        statistics.add(
            ActivityCounts(
                impressions: event.actions.contains(.impression) ? 1 : 0,
                clicks: event.actions.contains(.click) ? 1 : 0, watchSeconds: event.watchSeconds),
            item: row, surface: surface.map { Int($0) }, columns: columns)
        items[row].signals = ItemSignals(row: row, statistics: statistics, columns: columns, priors: priors)
        let (category, author) = (Int(columns.categories[row]), Int(columns.authors[row]))
        if category != 0 { categories[category] = priors.category.deviation(statistics.categories[category]) }
        if author != 0 { authors[author] = priors.author.deviation(statistics.authors[author]) }
    }
}

/// The signals of one snapshot, with what was told of since.
// Sendable: the table is read and written under the lock.
final class LiveSignals: StatisticsListener, @unchecked Sendable {
    private let columns: ItemFeatureColumns
    private let itemIndex: KeyIndex
    private let scope: LiveScope
    private let lock = SharedLock()
    private var table: SignalTable

    init(_ net: PreRankNet, version: String, clock: LogClock) {
        columns = net.encoder.columns
        itemIndex = net.encoder.itemIndex
        scope = LiveScope(version: version, clock: clock)
        table = SignalTable(net.statistics, columns: columns, priors: net.encoder.description.priors)
    }

    /// Lends the table, which does not change meanwhile.
    func read(_ body: (borrowing SignalTable) -> Void) {
        lock.reading { body(table) }
    }

    func record(_ events: ArraySlice<LiveEvent>) {
        lock.writing {
            for event in events where scope.isNew(event) {
                guard let row = itemIndex.row(of: event.item) else { continue }
                table.record(event, row: row, surface: scope.surface(of: event), columns: columns)
            }
        }
    }
}
