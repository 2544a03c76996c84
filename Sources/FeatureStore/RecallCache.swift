public import Catalog

/// An item that the ranker put high and the page had no room for.
public struct CachedItem: Hashable, Sendable {
    public var item: ItemKey
    /// The ranker's.
    public var score: Float
    /// Whether it is a new item that has not had its guaranteed impressions.
    public var isUnderExposed: Bool

    public init(item: ItemKey, score: Float, isUnderExposed: Bool = false) {
        self.item = item
        self.score = score
        self.isUnderExposed = isUnderExposed
    }
}

/// One user's cached items, first in first. They leave when they are shown, when there are too many (first in, first out),
/// when they were offered too often, and when they are too old.
public struct RecallCache: Sendable {
    public struct Rules: Hashable, Sendable {
        public var itemsMax = 100
        public var offersMax = 10
        public var ageMaxMilliseconds: Int64 = 3 * 86_400_000
        /// Under-exposed items may be offered so many times as often, and be so many times as old.
        public var underExposedFactor = 2

        public init() {}
    }

    /// What one page adds: the best that were not shown.
    public static let keptPerPage = 50

    private struct Entry {
        var cached: CachedItem
        /// Milliseconds since 1970.
        var since: Int64
        var offers = 0
    }

    private var entries: [Entry] = []

    public init() {}

    /// Memory of the entries.
    var byteCount: Int { entries.count * MemoryLayout<Entry>.stride }

    /// What is offered now.
    public func items(now: Int64, rules: Rules) -> [CachedItem] {
        entries.filter { !Self.isTooOld($0, now, rules) }.map(\.cached)
    }

    /// Takes items out that were shown.
    public mutating func remove(_ shown: [ItemKey]) {
        guard !entries.isEmpty else { return }
        let shown = Set(shown)
        entries.removeAll { shown.contains($0.cached.item) }
    }

    /// Takes note of a page: what was offered counts once more, what was shown leaves, what was kept comes in. An item that
    /// is there keeps its age and its offers, and one that leaves for having been offered too often does not come in by
    /// the same page.
    ///
    /// - Complexity: O(entries + items).
    public mutating func record(
        shown: [ItemKey], offered: [ItemKey], kept: [CachedItem], now: Int64, rules: Rules
    ) {
        remove(shown)
        let offers = Set(offered)
        for place in entries.indices where offers.contains(entries[place].cached.item) { entries[place].offers += 1 }
        var barred = Set(shown)
        entries.removeAll { entry in
            let factor = entry.cached.isUnderExposed ? rules.underExposedFactor : 1
            guard entry.offers >= rules.offersMax * factor || Self.isTooOld(entry, now, rules) else { return false }
            barred.insert(entry.cached.item)
            return true
        }
        var places: [ItemKey: Int] = [:]
        for (place, entry) in entries.enumerated() { places[entry.cached.item] = place }
        for item in kept where !barred.contains(item.item) {
            if let place = places[item.item] {
                entries[place].cached = item
            } else {
                places[item.item] = entries.count
                entries.append(Entry(cached: item, since: now))
            }
        }
        entries.removeFirst(max(entries.count - rules.itemsMax, 0))
    }

    private static func isTooOld(_ entry: Entry, _ now: Int64, _ rules: Rules) -> Bool {
        let factor = Int64(entry.cached.isUnderExposed ? rules.underExposedFactor : 1)
        return now - entry.since > rules.ageMaxMilliseconds * factor
    }
}
