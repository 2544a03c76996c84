import Catalog
import FeatureStore
import Kernels
import Messages
import RPC
import Ranking
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
    let liveItems = LiveItemMemory()

    /// Everything that a page and its explanation are made from.
    struct Outcome: Sendable {
        var snapshot: FunnelSnapshot
        var view: UserView
        var channels: [Recall.ChannelResult]
        var candidates: CandidateUnion
        /// What the shards told of candidates that the snapshot does not have.
        var live: [ItemKey: Catalog.LiveItem]
        /// Nil: no ranker answered, or the user is unknown; the page is in recall order.
        var ranked: RankStage.Output?
        /// The page.
        var page: [PageEntry]
        /// What comes after the page, best first.
        var spare: [PageEntry] = []
        /// What the ranker put next, and was not shown: kept for the user's next page.
        var kept: [CachedItem] = []
        var notes: CompletenessNotes
        var reports: [StageReport]

        /// Candidates that the snapshot does not have.
        var liveCandidates: [Catalog.LiveItem] { candidates.items.compactMap { live[$0] } }
    }

    struct PageEntry: Sendable {
        var item: ItemKey
        var source: Source
        var score: Float
        /// The item's place in the ranker's answer; nil when there was none.
        var rank: Int?
        /// Whether it has its place as a new item, before items that were ranked higher.
        var isGiven = false
    }

    /// Where an item's details are.
    enum Source: Sendable {
        /// Row of the snapshot's item table.
        case snapshot(Int)
        case live(Catalog.LiveItem)
    }

    func run(
        _ query: RecommendQuery, on snapshot: FunnelSnapshot, deadline: Deadline, now: Int64, explains: Bool = false
    ) async throws(RPCError) -> Outcome {
        let deadlines = StageDeadlines(caller: deadline, configuration: configuration)
        var notes = CompletenessNotes()
        let scene = query.scene(at: now, on: snapshot, notes: &notes)
        let (view, userReport) = try await userView(query.user, on: snapshot, now: now)
        let (recallQuery, encodeReport) = recallQuery(query, view, snapshot, now)
        let recalled = try await recallUnseen(
            recallQuery, view, on: snapshot, wanted: query.pageSize, deadline: deadlines.recall, notes: &notes)
        liveItems.remember(recalled.live)
        var outcome = Outcome(
            snapshot: snapshot, view: view, channels: recalled.channels, candidates: recalled.candidates,
            live: recalled.live, page: [], notes: notes, reports: [userReport, encodeReport] + recalled.reports)
        await rankCandidates(
            &outcome, scene, deadlines.rankFromNow(), pageSize: query.pageSize, explains: explains)
        fillPage(&outcome, size: query.pageSize)
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
                    + "\(view.exposures.count) shown in the last \(view.exposures.configuration.windowDays) days, \(view.cached.count) kept by the ranker"
            )
            return (view, report)
        } catch {
            throw RPCError(.unavailable, "the user's state cannot be read: \(error)", cause: error)
        }
    }

    /// Of every item of the page the ranker must rank so many, so that there is a choice, and spares for what another page
    /// showed meanwhile.
    private static let leastPerPlace = 2

    private func rankCandidates(
        _ outcome: inout Outcome, _ scene: Catalog.Scene, _ deadline: Deadline, pageSize: Int, explains: Bool
    ) async {
        guard outcome.view.state.isKnown, outcome.candidates.count > 0 else { return }
        // A page is never shorter for the cut's sake.
        var cut = configuration.cut
        if cut.keep > 0 { cut.keep = max(cut.keep, pageSize * Self.leastPerPlace) }
        do throws(RPCError) {
            let ranked = try await rank.run(
                RankStage.Query(
                    version: outcome.snapshot.version, state: outcome.view.state, scene: scene,
                    candidates: outcome.candidates, live: outcome.liveCandidates, cut: cut,
                    limit: max(configuration.rankLimit, pageSize), least: pageSize * Self.leastPerPlace,
                    explains: explains),
                deadline: deadline)
            outcome.reports += ranked.reports
            outcome.ranked = ranked
            outcome.notes.order = ranked.isRanked ? .ranked : .preRanked
            if !ranked.isRanked {
                outcome.notes.note("the snapshot has no ranking model: the order is the pre-ranker's")
            }
            if !ranked.shortage.isEmpty { outcome.notes.note("ranker (\(rank.address)): \(ranked.shortage)") }
        } catch {
            outcome.notes.note("no ranker answered (\(rank.address)): \(error.code.name): \(error.message)")
            outcome.reports.append(
                StageReport(
                    stage: "ranker call", address: rank.address, itemsIn: UInt32(outcome.candidates.count),
                    note: error.message))
        }
    }
}
