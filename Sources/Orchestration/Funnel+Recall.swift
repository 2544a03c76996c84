import Catalog
import FeatureStore
import Kernels
import Messages
import RPC
import Recall

extension Funnel {
    /// What recall found and the user has not seen.
    struct Recalled {
        var channels: [Recall.ChannelResult]
        var candidates: CandidateUnion
        var live: [ItemKey: Catalog.LiveItem]
        var reports: [StageReport]
    }

    /// Rounds of recall for one page: the last asks for 128 times what channels shall give.
    private static let recallRoundsMax = 4
    /// Candidates wanted for each item of the page, so that the ranker has a choice.
    private static let choice = 5

    /// Asks the shards. When the shown items of which only a filter knows leave too few candidates, those that were met are
    /// named to the shards and recall runs again, deeper.
    func recallUnseen(
        _ query: RecallStage.Query, _ view: UserView, on snapshot: FunnelSnapshot, wanted: Int, deadline: Deadline,
        notes: inout CompletenessNotes
    ) async throws(RPCError) -> Recalled {
        let shown = ShownItems(view, now: query.timeMilliseconds)
        let channels = query.channels
        var query = query
        query.channels = shown.widened(channels, round: 1)
        var found = try await recall.run(query, deadline: deadline, notes: &notes)
        var reports: [StageReport] = []
        var round = 1
        while true {
            var (kept, met) = shown.cut(found.channels, to: channels.map(\.limit))
            if let cache = cached(view, query.excluded, on: snapshot, now: query.timeMilliseconds) {
                kept.append(cache)
            }
            let candidates = CandidateUnion(kept, excluding: query.excluded, limit: configuration.candidatesMax)
            reports += found.reports + (met.isEmpty ? [] : [report(of: met, query, view)])
            let recalled = Recalled(
                channels: kept, candidates: candidates, live: live(candidates, on: snapshot, told: found.live),
                reports: reports)
            guard candidates.count < wanted * Self.choice, shown.older > 0, !met.isEmpty,
                round < Self.recallRoundsMax, !deadline.hasPassed
            else { return recalled }
            round += 1
            query.channels = shown.widened(channels, round: round)
            query.excluded = (query.excluded + met).sorted()
            var noted = notes
            guard let more = try? await recall.run(query, deadline: deadline, notes: &noted) else { return recalled }
            (found, notes) = (more, noted)
        }
    }

    /// The `cache` channel: what the ranker kept for the user and may still be shown. Nil when it is off, or empty.
    private func cached(
        _ view: UserView, _ excluded: [ItemKey], on snapshot: FunnelSnapshot, now: Int64
    ) -> Recall.ChannelResult? {
        guard let limit = configuration.channels.first(where: { $0.channel == ChannelName.cache })?.limit else {
            return nil
        }
        let found = view.cached.filter { entry in
            excluded.ascendingIndex(of: entry.item) == nil && !view.exposures.contains(entry.item, now: now)
                && (snapshot.row(of: entry.item) != nil || liveItems[entry.item] != nil)
        }.sorted { ($1.score, $0.item) < ($0.score, $1.item) }.prefix(limit)
        guard !found.isEmpty else { return nil }
        return Recall.ChannelResult(
            channel: ChannelName.cache,
            candidates: Candidates(
                items: SharedBuffer(found.map(\.item)), scores: SharedBuffer(found.map(\.score))))
    }

    /// What is known of the candidates that the snapshot does not have: what the shards told now, or lately. What a shard
    /// cannot have meant is not known.
    private func live(
        _ candidates: CandidateUnion, on snapshot: FunnelSnapshot, told: [Messages.LiveItem]
    ) -> [ItemKey: Catalog.LiveItem] {
        let missing = candidates.items.filter { snapshot.row(of: $0) == nil }
        guard !missing.isEmpty else { return [:] }
        let wanted = KeyIndex(SharedBuffer(missing))
        var known: [ItemKey: Catalog.LiveItem] = [:]
        for message in told where wanted.row(of: ItemKey(publicID: message.itemID)) != nil {
            if let item = try? Catalog.LiveItem(message) { known[item.key] = item }
        }
        for item in missing where known[item] == nil { known[item] = liveItems[item] }
        return known
    }

    private func report(of shown: [ItemKey], _ query: RecallStage.Query, _ view: UserView) -> StageReport {
        StageReport(
            stage: "exposure filter", snapshotVersion: query.version, itemsOut: UInt32(shown.count),
            note: "candidates left out: shown in the last \(view.exposures.configuration.windowDays) days")
    }

    /// What the shards are asked. For a user of whom nothing is known, the popular channel alone fills the page.
    func recallQuery(
        _ query: RecommendQuery, _ view: UserView, _ snapshot: FunnelSnapshot, _ now: Int64
    ) -> (RecallStage.Query, StageReport) {
        let start = ContinuousClock.now
        let popular = configuration.channels.first { $0.channel == ChannelName.popular }?.limit ?? 0
        let channels =
            view.state.isKnown
            ? snapshot.encoders.requests(
                configuration.channels.filter { $0.channel != ChannelName.cache },
                for: RecallUser(
                    state: view.state, timeMilliseconds: now, place: query.place ?? view.place, city: query.city,
                    liveItems: touchedLiveItems(view.state, snapshot)))
            : [ChannelRequest(channel: ChannelName.popular, limit: max(popular, query.pageSize))]
        let report = StageReport(
            stage: "user side of the channels", snapshotVersion: snapshot.version, itemsOut: UInt32(channels.count),
            microseconds: (ContinuousClock.now - start).microseconds)
        return (
            RecallStage.Query(
                version: snapshot.version, state: view.state, channels: channels,
                excluded: (view.excluded + query.excluded).sorted(), timeMilliseconds: now),
            report
        )
    }

    /// What is known of the items in the user's last-n that the snapshot does not have.
    private func touchedLiveItems(
        _ state: Catalog.UserState, _ snapshot: FunnelSnapshot
    ) -> [ItemKey: Catalog.LiveItem] {
        var known: [ItemKey: Catalog.LiveItem] = [:]
        for touch in state.recent where snapshot.row(of: touch.item) == nil {
            if let item = liveItems[touch.item] { known[touch.item] = item }
        }
        return known
    }
}
