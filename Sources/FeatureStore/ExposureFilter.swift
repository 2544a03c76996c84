public import Catalog

/// What one user was shown during the last days: never forgets an item inside the window, and takes a small share of
/// unseen items for shown.
///
/// There is no deletion: each day has filters of its own, a question asks all days of the window, and a day leaves as a
/// whole. So an item stays away for `windowDays` days and, at most, for one more. A day begins with a small filter and
/// adds larger ones as it fills (Almeida et al., "Scalable Bloom Filters", 2007): who is shown little takes little.
/// The rate of false positives of all of them together is kept to by their parts: each day gets an equal one, the first
/// filter of a day half of the day's, the second a quarter, and so on.
public struct ExposureFilter: Hashable, Sendable {
    public struct Configuration: Hashable, Sendable {
        /// Days that an item stays away.
        public var windowDays = 30
        /// delta: share of unseen items that the whole window hides by mistake when it is full.
        public var falsePositiveRate = 0.01
        /// Items that a day's first filter is made for; three pages. The next is made for twice as many.
        public var firstItems = 64
        /// Filters of one day: 8 hold 16,320 items. The last takes what is more than that, and hides more by mistake.
        public var filtersPerDayMax = 8

        public init() {}

        /// The day that is beginning and the days that are whole.
        var generations: Int { windowDays + 1 }

        func size(ofFilter index: Int) -> BloomFilter.Size {
            let day = falsePositiveRate / Double(generations)
            return BloomFilter.Size(items: firstItems << index, falsePositiveRate: day / Double(2 << index))
        }
    }

    private struct Day: Hashable, Sendable {
        /// Days since 1970, UTC.
        var number: Int64
        var filters: [BloomFilter]

        func contains(_ hashes: inout ItemHashes) -> Bool {
            for filter in filters where filter.contains(&hashes) { return true }
            return false
        }
    }

    public let configuration: Configuration
    /// Oldest first.
    private var days: [Day] = []

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    /// Items shown during the days that are kept; one shown again on another day counts again.
    public var count: Int { days.reduce(0) { $0 + $1.filters.reduce(0) { $0 + $1.count } } }

    /// Memory of the filters: their bits and what holds them.
    public var byteCount: Int {
        days.reduce(0) { sum, day in
            day.filters.reduce(sum + Self.dayOverhead) { $0 + $1.byteCount + Self.filterOverhead }
        }
    }

    /// Headers of the arrays, and the values in them.
    private static let dayOverhead = 32 + MemoryLayout<Day>.stride
    private static let filterOverhead = 32 + MemoryLayout<BloomFilter>.stride

    /// Takes note of an item shown at a moment (milliseconds since 1970), in order of time or not.
    ///
    /// - Complexity: O(k), and O(days) for one that comes late.
    public mutating func insert(_ item: ItemKey, at time: Int64) {
        let number = Self.day(time)
        let after = days.lastIndex { $0.number <= number }
        var place = after ?? 0
        if after == nil || days[place].number != number {
            place = after.map { $0 + 1 } ?? 0
            days.insert(Day(number: number, filters: []), at: place)
        }
        var hashes = ItemHashes(item)
        guard !days[place].contains(&hashes) else { return }
        let filters = days[place].filters
        let last = filters.count - 1
        if last < 0
            || (filters[last].count >= configuration.firstItems << last && last + 1 < configuration.filtersPerDayMax)
        {
            days[place].filters.append(BloomFilter(configuration.size(ofFilter: last + 1)))
        }
        days[place].filters[days[place].filters.count - 1].insert(&hashes)
    }

    /// Whether the item was shown inside the window that ends now (milliseconds since 1970), or seems to have been.
    ///
    /// - Complexity: O(days).
    public func contains(_ item: ItemKey, now: Int64) -> Bool {
        let first = firstDay(now)
        var hashes = ItemHashes(item)
        for day in days where day.number >= first && day.contains(&hashes) { return true }
        return false
    }

    /// Lets go of the days that have left the window.
    public mutating func expire(now: Int64) {
        let first = firstDay(now)
        if let oldest = days.first, oldest.number < first { days.removeAll { $0.number < first } }
    }

    /// The first moment (milliseconds since 1970) of the window that ends now.
    func windowStart(now: Int64) -> Int64 { firstDay(now) * Self.dayMilliseconds }

    private func firstDay(_ now: Int64) -> Int64 { Self.day(now) - Int64(configuration.windowDays) }

    private static let dayMilliseconds: Int64 = 86_400_000

    private static func day(_ time: Int64) -> Int64 {
        time >= 0 ? time / dayMilliseconds : (time + 1) / dayMilliseconds - 1
    }
}
