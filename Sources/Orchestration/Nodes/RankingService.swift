import Catalog
import Features
import Foundation
import Kernels
import Messages
public import RPC
public import Ranking

/// `tributary.v1.Ranking`: scores one request's candidates.
public struct RankingService: RPCService {
    public static let serviceName = RankingMethods.service

    /// Candidates of one request.
    static let itemsMax = 10_000

    private let snapshots: SnapshotAccess<Ranker>
    private let feed: StatisticsFeed
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - feed: what the rankers of all snapshots are told of.
    ///   - now: milliseconds since 1970; nil for this machine's clock.
    public init(
        snapshots: SnapshotAccess<Ranker>, feed: StatisticsFeed,
        now: (@Sendable () -> Int64)? = nil
    ) {
        self.now = now ?? { Int64((Date().timeIntervalSince1970 * 1000).rounded()) }
        self.snapshots = snapshots
        self.feed = feed
    }

    public func register(in router: inout Router) {
        router.unary(RankingMethods.rank) { [self] request, context throws(RPCError) in
            let start = ContinuousClock.now
            var query = try RankingQuery(request)
            let lease = try snapshots.pinned(request.snapshotVersion)
            defer { extendLifetime(lease) }
            query.timeLeft = context.deadline == .distantFuture ? nil : context.deadline.remaining
            let ranked = lease.value.rank(query)
            return RankResponse(
                ranked.items, ranked.times, version: lease.version,
                microseconds: (ContinuousClock.now - start).microseconds)
        }
        router.unary(RankingMethods.pushStatistics) { [self] request, _ throws(RPCError) in
            PushStatisticsResponse(
                counted: feed.record(
                    try LiveEvent.all(of: request, now: now()), source: request.source, sequence: request.sequence))
        }
        router.unary(RankingMethods.reportFeatures) { [self] request, _ throws(RPCError) in
            try reportFeatures(request)
        }
    }
}

extension RankingService {
    private func reportFeatures(_ request: ReportFeaturesRequest) throws(RPCError) -> ReportFeaturesResponse {
        let pinned =
            request.snapshotVersion.isEmpty ? snapshots.current() : try snapshots.pinned(request.snapshotVersion)
        guard let lease = pinned else { throw RPCError(.unavailable, "no snapshot is loaded yet") }
        defer { extendLifetime(lease) }
        let features = lease.value.features
        return ReportFeaturesResponse(
            snapshotVersion: lease.version,
            features: features.map { feature in
                FeatureReport(
                    name: feature.name, training: Messages.FeatureCoverage(feature.training),
                    serving: Messages.FeatureCoverage(feature.serving), drift: feature.drift ?? 0,
                    hasDrift: feature.drift != nil)
            }, requests: UInt64(features.first?.requests ?? 0))
    }
}

extension Messages.FeatureCoverage {
    fileprivate init(_ coverage: Features.FeatureCoverage) {
        self.init(
            values: UInt64(coverage.count), missing: UInt64(coverage.missing),
            unknown: UInt64(coverage.outOfVocabulary))
    }
}

extension RankingQuery {
    /// - Throws: INVALID_ARGUMENT that names the field, what was expected and what was found.
    fileprivate init(_ request: RankRequest) throws(RPCError) {
        func check(_ count: Int, _ field: String, _ limit: Int) throws(RPCError) {
            guard count <= limit else {
                throw RPCError(.invalidArgument, "\(field): expected at most \(limit), found \(count)")
            }
        }
        try check(request.items.count, "items", RankingService.itemsMax)
        try check(request.liveItems.count, "live_items", RankingService.itemsMax)
        try check(request.channels.count, "channels", PreRankCut.channelsMax)
        guard let user = request.user else {
            throw RPCError(.invalidArgument, "user: expected the user's state, found none")
        }
        let told = request.scene ?? Messages.Scene()
        try check(told.contexts.count, "scene.contexts", ExposureTable.contextsMax)
        let scene = Catalog.Scene(
            timeMilliseconds: told.timeMilliseconds, surface: UInt16(clamping: told.surface),
            contexts: Array(told.contexts))
        self.init(try Catalog.UserState(user), scene, items: request.items.reinterpreted(as: ItemKey.self))
        for message in request.liveItems { live.append(try Catalog.LiveItem(message)) }
        guard request.foundBy.isEmpty || request.foundBy.count == request.items.count else {
            throw RPCError(
                .invalidArgument,
                "found_by: expected \(request.items.count), one per item, found \(request.foundBy.count)")
        }
        let channels = request.channels.count
        if channels < PreRankCut.channelsMax,
            let strange = request.foundBy.first(where: { $0 >> UInt64(channels) != 0 })
        {
            throw RPCError(
                .invalidArgument,
                "found_by: expected bits of \(channels) channels, found \(String(strange, radix: 2))")
        }
        found = request.foundBy
        channelCount = channels
        let wanted = request.cut ?? Cut()
        cut = PreRankCut(
            keep: Int(wanted.keep), channelMinimum: Int(wanted.channelMinimum),
            categoryMinimum: Int(wanted.categoryMinimum))
        limit = Int(request.limit)
        least = Int(request.least)
        explains = request.explain
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
    fileprivate init(_ ranked: RankedItems, _ times: RankingTimes, version: String, microseconds: UInt64) {
        self.init(
            snapshotVersion: version, items: SharedBuffer(ranked.items).reinterpreted(as: UInt64.self),
            scores: SharedBuffer(ranked.scores),
            towers: Messages.TowerCounts(
                user: UInt32(ranked.towers.user), item: UInt32(ranked.towers.item),
                cross: UInt32(ranked.towers.cross), head: UInt32(ranked.towers.head)),
            unknownItems: UInt32(ranked.unknownItems), microseconds: microseconds, heads: ranked.heads,
            predictions: SharedBuffer(ranked.predictions), preRankScores: SharedBuffer(ranked.preRankScores),
            preRankPositions: SharedBuffer(ranked.preRankPositions), terms: ranked.terms,
            termValues: SharedBuffer(ranked.termValues), termContributions: SharedBuffer(ranked.termContributions),
            preRanked: UInt32(ranked.preRanked), kept: UInt32(ranked.kept),
            keptByChannel: SharedBuffer(ranked.keptByChannel), ranked: ranked.isRanked,
            preRankMicroseconds: times.preRank.microseconds, rankMicroseconds: times.rank.microseconds,
            shortage: ranked.shortage ?? "")
    }
}
