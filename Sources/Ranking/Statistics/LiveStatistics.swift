public import Catalog
public import Features
import Kernels

/// Something that happened to an item since a snapshot's log ended, as it is told to rankers.
public struct LiveEvent: Hashable, Sendable {
    public var item: ItemKey
    /// Milliseconds since 1970.
    public var timeMilliseconds: Int64
    public var actions: Actions
    public var watchSeconds: Float
    /// Number of the surface, and the viewer's profile, in the numbering of ``version``.
    public var surface: UInt16
    public var profile: [UInt32]
    /// Snapshot that the numbers are of.
    public var version: String

    public init(
        item: ItemKey, timeMilliseconds: Int64, actions: Actions, watchSeconds: Float = 0, surface: UInt16 = 0,
        profile: [UInt32] = [], version: String
    ) {
        self.item = item
        self.timeMilliseconds = timeMilliseconds
        self.actions = actions
        self.watchSeconds = watchSeconds
        self.surface = surface
        self.profile = profile
        self.version = version
    }
}

/// The counts of one snapshot, with what was told of since: read by requests, written by the feed.
// Sendable: the counts are read and written under the lock.
public final class LiveStatistics: @unchecked Sendable {
    private let version: String
    private let dataUntil: Int64
    private let itemIndex: KeyIndex
    private let lock = SharedLock()
    private var statistics: RankingStatistics

    /// - Parameters:
    ///   - statistics: of the snapshot.
    ///   - dataUntil: end of its log, milliseconds since 1970: what happened before is counted already.
    public init(_ statistics: RankingStatistics, version: String, dataUntil: Int64, itemIndex: KeyIndex) {
        self.statistics = statistics
        self.version = version
        self.dataUntil = dataUntil
        self.itemIndex = itemIndex
    }

    /// Lends the counts, which do not change meanwhile.
    public func read<Result>(_ body: (borrowing RankingStatistics) throws -> Result) rethrows -> Result {
        try lock.reading { try body(statistics) }
    }

    /// Counts what happened after the snapshot's log ended. Items that the snapshot does not have are passed over; numbers of
    /// another snapshot's surfaces and profiles count as unknown.
    ///
    /// - Complexity: O(events).
    func record(_ events: some Sequence<LiveEvent>) {
        lock.writing {
            for event in events where event.timeMilliseconds > dataUntil {
                guard let row = itemIndex.row(of: event.item) else { continue }
                let isOwn = event.version == version
                statistics.record(
                    StatisticsEvent(
                        item: row, surface: isOwn ? event.surface : 0, profile: isOwn ? event.profile : [],
                        timeMilliseconds: event.timeMilliseconds, actions: event.actions,
                        watchSeconds: event.watchSeconds))
            }
        }
    }
}
