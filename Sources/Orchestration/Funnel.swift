import Catalog
import FeatureStore
import Kernels
import Messages
import RPC
import Recall

/// One request's way from user to page, on one snapshot.
///
/// user state -> user side of the channels -> recall (one call per shard) -> union -> rank (one call) -> page. Has no side effects:
/// what is returned becomes "shown" only when the caller records it.
struct Funnel: Sendable {
    let configuration: OrchestratorConfiguration
    let recall: RecallStage
    let rank: RankStage
    let users: any UserStateStore

    /// Everything that a page and its explanation are made from.
    struct Outcome: Sendable {
        var snapshot: FunnelSnapshot
        var view: UserView
        var channels: [Recall.ChannelResult]
        var candidates: CandidateUnion
        /// Nil: no ranker answered, or the user is unknown; the page is in recall order.
        var ranked: RankStage.Output?
        /// The page.
        var page: [PageEntry]
        var notes: CompletenessNotes
        var reports: [StageReport]
    }

    struct PageEntry: Sendable {
        var item: ItemKey
        /// Row of the snapshot's item table.
        var row: Int
        var score: Float
        var clickProbability: Float = 0
        var watchSeconds: Float = 0
        /// 1-based, after ranking; 0 when there was none.
        var rankPosition = 0
    }

    func run(
        _ query: RecommendQuery, on snapshot: FunnelSnapshot, deadline: Deadline, now: Int64
    ) async throws(RPCError) -> Outcome {
        let deadlines = StageDeadlines(caller: deadline, configuration: configuration)
        var notes = CompletenessNotes()
        let (view, userReport) = try await userView(query.user, on: snapshot, now: now)
        let (recallQuery, encodeReport) = recallQuery(query, view, snapshot, now)
        let recalled = try await recallUnseen(
            recallQuery, view, wanted: query.pageSize, deadline: deadlines.recall, now: now, notes: &notes)
        var outcome = Outcome(
            snapshot: snapshot, view: view, channels: recalled.channels, candidates: recalled.candidates, page: [],
            notes: notes, reports: [userReport, encodeReport] + recalled.reports)
        let scene = Catalog.Scene(
            timeMilliseconds: now, surface: query.surface.map { snapshot.surface(named: $0) } ?? 0)
        await rankCandidates(&outcome, scene, deadlines.rankFromNow())
        outcome.page = page(of: outcome, size: query.pageSize)
        return outcome
    }

    private func userView(
        _ user: UserKey, on snapshot: FunnelSnapshot, now: Int64
    ) async throws(RPCError) -> (UserView, StageReport) {
        let start = ContinuousClock.now
        do {
            let view = try await users.view(
                of: snapshot.users.state(of: user), dataUntil: snapshot.dataUntil, now: now)
            let report = StageReport(
                stage: "user state", snapshotVersion: snapshot.version, itemsOut: UInt32(view.state.recent.count),
                microseconds: (ContinuousClock.now - start).microseconds,
                note: "\(view.liveEventCount) live events, \(view.excluded.count) items excluded by key, "
                    + "\(view.exposures.count) shown in the last \(view.exposures.configuration.windowDays) days")
            return (view, report)
        } catch {
            throw RPCError(.unavailable, "the user's state cannot be read: \(error)", cause: error)
        }
    }

    /// What recall found and the user has not seen. When the shown items of which only a filter knows leave too few for
    /// the page, those that were met are named to the shards and recall runs again.
    private func recallUnseen(
        _ query: RecallStage.Query, _ view: UserView, wanted: Int, deadline: Deadline, now: Int64,
        notes: inout CompletenessNotes
    ) async throws(RPCError) -> (channels: [Recall.ChannelResult], candidates: CandidateUnion, reports: [StageReport]) {
        let shown = ShownItems(exposures: view.exposures, now: now)
        let limits = query.channels.map(\.limit)
        var query = query
        query.channels = shown.widened(query.channels, exceptKnown: view.excluded.count)
        var found = try await recall.run(query, deadline: deadline, notes: &notes)
        var reports: [StageReport] = []
        var round = 0
        while true {
            round += 1
            let (channels, met) = shown.cut(found.channels, to: limits)
            let candidates = CandidateUnion(channels, excluding: query.excluded, limit: configuration.candidatesMax)
            reports += found.reports + (met.isEmpty ? [] : [report(of: met, query, view)])
            guard candidates.count < wanted, !met.isEmpty, round < Self.recallRoundsMax, !deadline.hasPassed else {
                return (channels, candidates, reports)
            }
            query.excluded = (query.excluded + met).sorted()
            var noted = notes
            guard let more = try? await recall.run(query, deadline: deadline, notes: &noted) else {
                return (channels, candidates, reports)
            }
            (found, notes) = (more, noted)
        }
    }

    private func report(of shown: [ItemKey], _ query: RecallStage.Query, _ view: UserView) -> StageReport {
        StageReport(
            stage: "exposure filter", snapshotVersion: query.version, itemsOut: UInt32(shown.count),
            note: "candidates left out: shown in the last \(view.exposures.configuration.windowDays) days")
    }

    /// Rounds of recall for one page. Each goes past at least as many shown items as a page has, and past as many as its
    /// channels give when all of them were shown.
    private static let recallRoundsMax = 3

    /// For a user of whom nothing is known, the popular channel alone fills the page.
    private func recallQuery(
        _ query: RecommendQuery, _ view: UserView, _ snapshot: FunnelSnapshot, _ now: Int64
    ) -> (RecallStage.Query, StageReport) {
        let start = ContinuousClock.now
        let popular = configuration.channels.first { $0.channel == ChannelName.popular }?.limit ?? 0
        let channels =
            view.state.isKnown
            ? snapshot.encoders.requests(
                configuration.channels,
                for: RecallUser(
                    state: view.state, timeMilliseconds: now, place: query.place ?? view.place, city: query.city))
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

    private func rankCandidates(_ outcome: inout Outcome, _ scene: Catalog.Scene, _ deadline: Deadline) async {
        guard outcome.view.state.isKnown, outcome.candidates.count > 0 else { return }
        do throws(RPCError) {
            let ranked = try await rank.run(
                version: outcome.snapshot.version, state: outcome.view.state, scene: scene,
                candidates: outcome.candidates.items, limit: configuration.rankLimit, deadline: deadline)
            outcome.reports.append(ranked.report)
            outcome.ranked = ranked
            outcome.notes.order = .ranked
        } catch {
            outcome.notes.note("no ranker answered (\(rank.address)): \(error.code.name): \(error.message)")
            outcome.reports.append(
                StageReport(
                    stage: "rank", address: rank.address, itemsIn: UInt32(outcome.candidates.count),
                    note: error.message))
        }
    }

    private func page(of outcome: Outcome, size: Int) -> [PageEntry] {
        var page: [PageEntry] = []
        page.reserveCapacity(size)
        if let ranked = outcome.ranked {
            for place in ranked.items.indices where page.count < size {
                guard let row = outcome.snapshot.row(of: ranked.items[place]) else { continue }
                page.append(
                    PageEntry(
                        item: ranked.items[place], row: row, score: ranked.scores[place],
                        clickProbability: ranked.clickProbabilities[place], watchSeconds: ranked.watchSeconds[place],
                        rankPosition: place + 1))
            }
        } else {
            for (place, item) in outcome.candidates.items.enumerated() where page.count < size {
                guard let row = outcome.snapshot.row(of: item) else { continue }
                page.append(PageEntry(item: item, row: row, score: outcome.candidates.scores[place]))
            }
        }
        return page
    }
}
