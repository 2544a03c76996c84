public import Catalog
public import Kernels

/// One request to rank candidates for a user.
public struct RankingQuery: Sendable {
    public var state: UserState
    public var scene: Scene
    /// Candidates, in any order; when there is no time for all, the first of them are scored.
    public var items: SharedBuffer<ItemKey>
    /// Those of them that the snapshot does not have.
    public var live: [LiveItem] = []
    /// `[items]`, bit c is set when the request's channel c found it; empty: it is not known.
    public var found: SharedBuffer<UInt64> = []
    /// Channels of the request.
    public var channelCount = 0
    public var cut = PreRankCut()
    /// Items wanted back; 0 for all that come through the cut.
    public var limit = 0
    /// Items that are ranked however little time is left.
    public var least = 0
    /// Whether the terms of the scores are wanted.
    public var explains = false
    /// Time left for the answer; nil for as long as it takes.
    public var timeLeft: Duration?

    public init(_ state: UserState, _ scene: Scene, items: SharedBuffer<ItemKey>) {
        self.state = state
        self.scene = scene
        self.items = items
    }
}

extension RankingQuery {
    /// The same, its times those of a snapshot's log.
    func told(by clock: LogClock) -> RankingQuery {
        guard clock.shift != 0 else { return self }
        var query = self
        query.state = state.told(by: clock)
        query.scene.asOf = clock(scene.timeMilliseconds)
        for index in live.indices {
            query.live[index].publishMilliseconds = clock(live[index].publishMilliseconds)
        }
        return query
    }
}
