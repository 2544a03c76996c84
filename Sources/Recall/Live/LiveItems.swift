public import Catalog
import Synchronization

/// A shard's live segment: items newer than the snapshot, and how often new items were shown since the process started.
///
/// One for a process, whatever versions it has loaded; each version's engine looks at what of it the version lacks.
public final class LiveItems: Sendable {
    public struct Limits: Hashable, Sendable {
        /// Items held; beyond it the ones that came first leave. They cost a shard a scan of their vectors, and the others the
        /// attributes of those among the candidates: full segments double the work of a request. Snapshots should come more
        /// often than a shard gets so many items.
        public var itemsMax = 10_000
        /// Items whose impressions are counted; beyond it, those of others are not.
        public var countedMax = 100_000

        public init() {}
    }

    /// The segment at one moment.
    struct Segment: Sendable {
        /// Grows with every change.
        var revision = 0
        /// In order of arrival.
        var items: [LiveItem] = []
    }

    /// Impressions reported since the process started.
    struct Impressions: Sendable {
        /// Grows with every report.
        var revision = 0
        var counts: [ItemKey: UInt32] = [:]
    }

    private let limits: Limits
    private let journal: LiveItemJournal?
    private let state = Mutex(Segment())
    private let counted = Mutex(Impressions())

    /// - Parameter journal: where items are kept across restarts; nil keeps them in memory alone.
    public init(limits: Limits = Limits(), journal: LiveItemJournal? = nil) {
        self.limits = limits
        self.journal = journal
    }

    /// Takes back what the journal has.
    ///
    /// - Returns: how many items it has, and how many of its lines could not be read.
    public func restore() async throws -> (items: Int, unreadable: Int) {
        guard let journal else { return (0, 0) }
        let (items, unreadable) = try await journal.read()
        add(items) { _ in false }
        return (items.count, unreadable)
    }

    /// Takes items, in place of those with the same keys; they are in the journal before they are in memory.
    ///
    /// - Parameter isKnown: whether the served snapshot has an item: such items leave.
    /// - Returns: how many items the segment has now.
    @discardableResult
    public func put(_ items: [LiveItem], isKnown: (ItemKey) -> Bool = { _ in false }) async throws -> Int {
        try await journal?.append(items)
        add(items, isKnown: isKnown)
        let held = segment.items
        try await journal?.compact(to: held)
        return held.count
    }

    private func add(_ items: [LiveItem], isKnown: (ItemKey) -> Bool) {
        let replaced = Set(items.map(\.key))
        // Of an item that comes twice at once the last counts.
        var latest: [ItemKey: Int] = [:]
        for (place, item) in items.enumerated() { latest[item.key] = place }
        state.withLock { segment in
            segment.items.removeAll { replaced.contains($0.key) || isKnown($0.key) }
            segment.items += items.indices.filter { latest[items[$0].key] == $0 }.map { items[$0] }
            segment.items.removeFirst(max(segment.items.count - limits.itemsMax, 0))
            segment.revision += 1
        }
    }

    var segment: Segment { state.withLock { $0 } }

    /// Adds to the impressions of items; ``RecallShardEngine/countsImpressions(of:)`` says whose matter.
    public func count(_ impressions: [(item: ItemKey, count: UInt32)]) {
        counted.withLock { counted in
            for (item, count) in impressions
            where counted.counts[item] != nil || counted.counts.count < limits.countedMax {
                let (sum, overflowed) = counted.counts[item, default: 0].addingReportingOverflow(count)
                counted.counts[item] = overflowed ? .max : sum
            }
            counted.revision += 1
        }
    }

    var impressions: Impressions { counted.withLock { $0 } }
}
