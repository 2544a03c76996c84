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
    /// Number of the surface, 0 when it is not told, and the viewer's profile, in the numbering of ``version``.
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

/// Whoever counts what happens while a snapshot is loaded.
package protocol StatisticsListener: AnyObject, Sendable {
    /// Counts what happened after the snapshot's log ended. Items that the snapshot does not have are passed over.
    ///
    /// - Complexity: O(events).
    func record(_ events: ArraySlice<LiveEvent>)
}

/// Which events are new to a snapshot, and what their numbers mean there.
struct LiveScope: Sendable {
    let version: String
    /// Of the snapshot's log: what happened up to its end is counted already.
    let clock: LogClock

    func isNew(_ event: LiveEvent) -> Bool { event.timeMilliseconds > clock.dataUntil }

    /// nil, for no surface, when it is unknown or a number of another snapshot.
    func surface(of event: LiveEvent) -> UInt16? {
        event.version == version && event.surface != 0 ? event.surface : nil
    }

    /// Numbers of another snapshot are unknown.
    func profile(of event: LiveEvent) -> [UInt32] { event.version == version ? event.profile : [] }
}

/// The counts that a ranking model reads, of one snapshot, with what was told of since: read by requests, written by the feed.
// Sendable: the counts are read and written under the lock.
public final class LiveStatistics: StatisticsListener, @unchecked Sendable {
    private let scope: LiveScope
    private let itemIndex: KeyIndex
    private let lock = SharedLock()
    private var statistics: RankingStatistics

    /// - Parameters:
    ///   - statistics: of the snapshot.
    ///   - clock: of its log.
    public init(_ statistics: RankingStatistics, version: String, clock: LogClock, itemIndex: KeyIndex) {
        self.statistics = statistics
        self.itemIndex = itemIndex
        scope = LiveScope(version: version, clock: clock)
    }

    /// Lends the counts, which do not change meanwhile.
    public func read<Result>(_ body: (borrowing RankingStatistics) throws -> Result) rethrows -> Result {
        try lock.reading { try body(statistics) }
    }

    package func record(_ events: ArraySlice<LiveEvent>) {
        lock.writing {
            for event in events where scope.isNew(event) {
                guard let row = itemIndex.row(of: event.item) else { continue }
                statistics.record(
                    StatisticsEvent(
                        item: row, surface: scope.surface(of: event), profile: scope.profile(of: event),
                        timeMilliseconds: scope.clock(event.timeMilliseconds), actions: event.actions,
                        watchSeconds: event.watchSeconds))
            }
        }
    }
}
