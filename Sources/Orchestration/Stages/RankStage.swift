package import Catalog
import Kernels
package import Messages
import RPC
import Ranking

/// One call to a ranker with every candidate.
struct RankStage: Sendable {
    let client: Client
    let address: String

    /// What the ranker is asked for one request.
    struct Query {
        var version: String
        var state: Catalog.UserState
        var scene: Catalog.Scene
        var candidates: CandidateUnion
        /// Those of the candidates that the snapshot does not have.
        var live: [Catalog.LiveItem]
        var cut: PreRankCut
        /// Items wanted back.
        var limit: Int
        /// Items that must be ranked, however little time is left.
        var least: Int
        var explains: Bool
    }

    /// Candidates as the ranker ordered them; the arrays of items are parallel.
    struct Output: Sendable {
        var items: SharedBuffer<ItemKey>
        var scores: SharedBuffer<Float>
        var heads: [String]
        /// `[items, heads]`.
        var predictions: SharedBuffer<Float>
        var preRankScores: SharedBuffer<Float>
        var preRankPositions: SharedBuffer<UInt32>
        var terms: [String]
        /// `[items, terms]`; empty unless the query wants explanations.
        var termValues: SharedBuffer<Float>
        var termContributions: SharedBuffer<Float>
        /// Whether a ranking model scored them, and not the pre-ranker alone.
        var isRanked: Bool
        /// Why fewer were scored than asked for; empty when all were.
        var shortage: String
        var reports: [StageReport]
    }

    func run(_ query: Query, deadline: Deadline) async throws(RPCError) -> Output {
        let start = ContinuousClock.now
        let response = try await client.unary(
            RankingMethods.rank, RankRequest(query), options: CallOptions(deadline: deadline))
        let elapsed = ContinuousClock.now - start
        guard response.snapshotVersion == query.version else {
            throw RPCError(
                .failedPrecondition,
                "answered from snapshot '\(response.snapshotVersion)', expected '\(query.version)'")
        }
        try response.check(query)
        return Output(
            items: response.items.reinterpreted(as: ItemKey.self), scores: response.scores, heads: response.heads,
            predictions: response.predictions, preRankScores: response.preRankScores,
            preRankPositions: response.preRankPositions, terms: response.terms, termValues: response.termValues,
            termContributions: response.termContributions, isRanked: response.ranked, shortage: response.shortage,
            reports: reports(response, query, elapsed))
    }

    /// What the ranker's stages did.
    private func reports(_ response: RankResponse, _ query: Query, _ elapsed: Duration) -> [StageReport] {
        let towers = response.towers ?? TowerCounts()
        var note = "towers run: user \(towers.user), item \(towers.item), cross \(towers.cross), head \(towers.head)"
        if response.unknownItems > 0 { note += "; \(response.unknownItems) unknown items" }
        let kept = zip(query.candidates.channels, response.keptByChannel).filter { $0.1 > 0 }
        if !kept.isEmpty { note += "; kept of " + kept.map { "\($0) \($1)" }.joined(separator: ", ") }
        func report(
            _ stage: String, _ itemsIn: UInt32, _ itemsOut: UInt32, _ time: UInt64, _ note: String
        )
            -> StageReport
        {
            StageReport(
                stage: stage, address: address, snapshotVersion: response.snapshotVersion, itemsIn: itemsIn,
                itemsOut: itemsOut, microseconds: time, note: note)
        }
        var rankNote = response.ranked ? "" : "no ranking model in the snapshot"
        if !response.shortage.isEmpty { rankNote = response.shortage }
        return [
            report(
                "pre-rank", UInt32(query.candidates.count), response.kept, response.preRankMicroseconds, note),
            report("rank", response.kept, UInt32(response.items.count), response.rankMicroseconds, rankNote),
            report(
                "ranker call", UInt32(query.candidates.count), UInt32(response.items.count), elapsed.microseconds,
                "heads: \(response.heads.joined(separator: ", "))"),
        ]
    }
}

extension RankRequest {
    fileprivate init(_ query: RankStage.Query) {
        self.init(
            snapshotVersion: query.version, user: Messages.UserState(query.state),
            scene: Messages.Scene(
                timeMilliseconds: query.scene.timeMilliseconds, surface: UInt32(query.scene.surface),
                contexts: SharedBuffer(query.scene.contexts)),
            items: SharedBuffer(query.candidates.items).reinterpreted(as: UInt64.self), limit: UInt32(query.limit),
            liveItems: query.live.map { Messages.LiveItem($0) }, channels: query.candidates.channels,
            foundBy: SharedBuffer(query.candidates.found),
            cut: Cut(
                keep: UInt32(query.cut.keep), channelMinimum: UInt32(query.cut.channelMinimum),
                categoryMinimum: UInt32(query.cut.categoryMinimum)),
            least: UInt32(query.least), explain: query.explains)
    }
}

extension RankResponse {
    /// Refuses arrays that do not fit together.
    fileprivate func check(_ query: RankStage.Query) throws(RPCError) {
        let count = items.count
        guard count <= query.candidates.count, scores.count == count, preRankScores.count == count,
            preRankPositions.count == count, predictions.count == count * heads.count,
            termValues.count == count * terms.count, termContributions.count == count * terms.count,
            keptByChannel.count <= query.candidates.channels.count
        else {
            throw RPCError(
                .internal, "expected parallel arrays of at most \(query.candidates.count) items, found \(count)")
        }
    }
}

extension Messages.UserState {
    package init(_ state: Catalog.UserState) {
        self.init(
            userKey: state.user.rawValue, known: state.isKnown, profile: SharedBuffer(state.profile),
            recentItems: SharedBuffer(state.recent.map(\.item.rawValue)),
            recentTimesMilliseconds: SharedBuffer(state.recent.map(\.timeMilliseconds)),
            recentActions: SharedBuffer(state.recent.map { UInt32($0.actions.rawValue) }),
            recentWatchSeconds: SharedBuffer(state.recent.map(\.watchSeconds)), impressions: state.impressions,
            clicks: state.clicks, watchSeconds: state.watchSeconds)
    }
}
