import Catalog
import Kernels
import Messages
public import RPC
public import Ranking

/// `tributary.v1.Ranking`: scores one request's candidates.
public struct RankingService: RPCService {
    public static let serviceName = RankingMethods.service

    /// Candidates of one request.
    static let itemsMax = 10_000

    private let snapshots: SnapshotAccess<PreRanker>

    public init(snapshots: SnapshotAccess<PreRanker>) {
        self.snapshots = snapshots
    }

    public func register(in router: inout Router) {
        router.unary(RankingMethods.rank) { [self] request, _ throws(RPCError) in
            let start = ContinuousClock.now
            let lease = try snapshots.pinned(request.snapshotVersion)
            defer { extendLifetime(lease) }
            guard request.items.count <= Self.itemsMax else {
                throw RPCError(
                    .invalidArgument, "items: expected at most \(Self.itemsMax), found \(request.items.count)")
            }
            guard let user = request.user else {
                throw RPCError(.invalidArgument, "user: expected the user's state, found none")
            }
            let scene = Catalog.Scene(
                timeMilliseconds: request.scene?.timeMilliseconds ?? 0,
                surface: UInt16(clamping: request.scene?.surface ?? 0))
            guard request.liveItems.count <= Self.itemsMax else {
                throw RPCError(
                    .invalidArgument, "live_items: expected at most \(Self.itemsMax), found \(request.liveItems.count)")
            }
            var live: [Catalog.LiveItem] = []
            for message in request.liveItems { live.append(try Catalog.LiveItem(message)) }
            let ranked = lease.value.rank(
                try Catalog.UserState(user), scene, items: request.items.reinterpreted(as: ItemKey.self), live: live,
                limit: Int(request.limit))
            return RankResponse(
                ranked, version: lease.version, microseconds: (ContinuousClock.now - start).microseconds)
        }
    }
}

extension Catalog.UserState {
    init(_ message: Messages.UserState) throws(RPCError) {
        let count = message.recentItems.count
        guard message.recentTimesMilliseconds.count == count, message.recentActions.count == count,
            message.recentWatchSeconds.count == count
        else {
            throw RPCError(.invalidArgument, "user: expected the arrays of recent items to be parallel")
        }
        let recent = (0..<count).map { place in
            Interaction(
                item: ItemKey(rawValue: message.recentItems[place]),
                timeMilliseconds: message.recentTimesMilliseconds[place],
                actions: Actions(rawValue: UInt16(truncatingIfNeeded: message.recentActions[place])),
                watchSeconds: message.recentWatchSeconds[place])
        }
        self.init(
            user: UserKey(rawValue: message.userKey), isKnown: message.known, profile: Array(message.profile),
            recent: recent, impressions: message.impressions, clicks: message.clicks,
            watchSeconds: message.watchSeconds)
    }
}

extension RankResponse {
    fileprivate init(_ ranked: RankedItems, version: String, microseconds: UInt64) {
        self.init(
            snapshotVersion: version, items: SharedBuffer(ranked.items).reinterpreted(as: UInt64.self),
            scores: SharedBuffer(ranked.scores), clickProbabilities: SharedBuffer(ranked.clickProbabilities),
            watchSeconds: SharedBuffer(ranked.watchSeconds),
            towers: Messages.TowerCounts(
                user: UInt32(ranked.towers.user), item: UInt32(ranked.towers.item),
                cross: UInt32(ranked.towers.cross), head: UInt32(ranked.towers.head)),
            unknownItems: UInt32(ranked.unknownItems), microseconds: microseconds)
    }
}
