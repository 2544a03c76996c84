import Catalog
import Kernels
import Messages
import RPC

/// One call to a ranker with every candidate.
struct RankStage: Sendable {
    let client: Client
    let address: String

    /// Candidates as the ranker ordered them; the arrays are parallel.
    struct Output: Sendable {
        var items: SharedBuffer<ItemKey>
        var scores: SharedBuffer<Float>
        var clickProbabilities: SharedBuffer<Float>
        var watchSeconds: SharedBuffer<Float>
        var report: StageReport
    }

    func run(
        version: String, state: Catalog.UserState, scene: Catalog.Scene, candidates: [ItemKey],
        live: [Catalog.LiveItem], limit: Int,
        deadline: Deadline
    ) async throws(RPCError) -> Output {
        let start = ContinuousClock.now
        let request = RankRequest(
            snapshotVersion: version, user: Messages.UserState(state),
            scene: Messages.Scene(timeMilliseconds: scene.timeMilliseconds, surface: UInt32(scene.surface)),
            items: SharedBuffer(candidates).reinterpreted(as: UInt64.self), limit: UInt32(limit),
            liveItems: live.map { Messages.LiveItem($0) })
        let response = try await client.unary(RankingMethods.rank, request, options: CallOptions(deadline: deadline))
        guard response.snapshotVersion == version else {
            throw RPCError(
                .failedPrecondition, "answered from snapshot '\(response.snapshotVersion)', expected '\(version)'")
        }
        let count = response.items.count
        guard count <= candidates.count, response.scores.count == count, response.clickProbabilities.count == count,
            response.watchSeconds.count == count
        else {
            throw RPCError(.internal, "expected parallel arrays of at most \(candidates.count) items, found \(count)")
        }
        let towers = response.towers ?? TowerCounts()
        return Output(
            items: response.items.reinterpreted(as: ItemKey.self), scores: response.scores,
            clickProbabilities: response.clickProbabilities, watchSeconds: response.watchSeconds,
            report: StageReport(
                stage: "rank", address: address, snapshotVersion: response.snapshotVersion,
                itemsIn: UInt32(candidates.count), itemsOut: UInt32(count),
                microseconds: (ContinuousClock.now - start).microseconds,
                note: "towers run: user \(towers.user), item \(towers.item), cross \(towers.cross), head \(towers.head)"
                    + (response.unknownItems > 0 ? "; \(response.unknownItems) unknown items" : "")))
    }
}

extension Messages.UserState {
    init(_ state: Catalog.UserState) {
        self.init(
            userKey: state.user.rawValue, known: state.isKnown, profile: SharedBuffer(state.profile),
            recentItems: SharedBuffer(state.recent.map(\.item.rawValue)),
            recentTimesMilliseconds: SharedBuffer(state.recent.map(\.timeMilliseconds)),
            recentActions: SharedBuffer(state.recent.map { UInt32($0.actions.rawValue) }),
            recentWatchSeconds: SharedBuffer(state.recent.map(\.watchSeconds)), impressions: state.impressions,
            clicks: state.clicks, watchSeconds: state.watchSeconds)
    }
}
