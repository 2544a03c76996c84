import Catalog
import Features
import Kernels
import Models

/// What statistics say of every item, category and author, ready to be read for each candidate.
struct SignalTable {
    private var statistics: ActivityStatistics
    private let priors: RatePriors
    /// `[N]`; what they say of categories and authors is in the arrays of these.
    private var items: [ItemSignals]
    private var categories: [Float]
    private var authors: [Float]

    init(_ statistics: ActivityStatistics, columns: ItemFeatureColumns, priors: RatePriors) {
        self.statistics = statistics
        self.priors = priors
        items = (0..<columns.count).map {
            ItemSignals(row: $0, statistics: statistics, columns: columns, priors: priors)
        }
        // Number 0 is the unknown one, of which nothing is said.
        categories = [0] + statistics.categories.dropFirst().map { priors.category.deviation($0) }
        authors = [0] + statistics.authors.dropFirst().map { priors.author.deviation($0) }
    }

    func surface(_ index: UInt16) -> ActivityCounts { statistics.surface(index) }

    /// Of a catalogue row.
    ///
    /// - Complexity: O(1).
    func of(row: Int, _ columns: ItemFeatureColumns) -> ItemSignals {
        var signals = items[row]
        signals.categoryLogOdds = categories[Int(columns.categories[row])]
        signals.authorLogOdds = authors[Int(columns.authors[row])]
        return signals
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
        items[row] = ItemSignals(row: row, statistics: statistics, columns: columns, priors: priors)
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

    init(_ net: PreRankNet, version: String, dataUntil: Int64) {
        columns = net.encoder.columns
        itemIndex = net.encoder.itemIndex
        scope = LiveScope(version: version, dataUntil: dataUntil)
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
