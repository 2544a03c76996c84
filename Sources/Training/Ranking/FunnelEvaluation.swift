import Catalog
import Kernels
import Ranking
import Recall

extension RecallEvaluation {
    /// Candidates of each channel, so that about as many are united as are pre-ranked in serving.
    private static let funnelDepth = 200
    private static let page = 80
    /// Users are taken evenly from all who have something to find.
    static let funnelUsersMax = 300

    /// Follows what users clicked in the held-back part through recall, filter, pre-ranking and ranking.
    ///
    /// - Parameter ranker: As it stood at the split.
    /// - Returns: nil when no user clicked a new item in what is held back.
    func funnel(_ ranker: Ranker) throws -> FunnelFigures? {
        let tasks = RecallTask.tasks(exposures, training: training, held: held, max: Self.funnelUsersMax)
        guard !tasks.isEmpty else { return nil }
        let (engine, encoders) = try (engine(), encoders())
        var tally = FunnelTally()
        for task in tasks {
            let user = RecallUser(state: log.states[task.user], timeMilliseconds: log.dataUntil)
            let results = engine.recall(query(task, encoders, limit: Self.funnelDepth))
            tally.add(
                task, items: log.dataset.items.keys,
                FunnelPass(ranker, user.state, Scene(timeMilliseconds: log.dataUntil), results), page: Self.page)
        }
        return tally.figures(users: tasks.count, page: Self.page)
    }
}

/// One user's candidates on their way.
private struct FunnelPass {
    let candidates: Set<ItemKey>
    /// Let through by the pre-ranker, in the ranker's order.
    let ranked: [ItemKey]
    /// All candidates in the ranker's order, and in the pre-ranker's.
    let rankedAll: [ItemKey]
    let preRankedAll: [ItemKey]

    init(_ ranker: Ranker, _ state: UserState, _ scene: Scene, _ results: [ChannelResult]) {
        var found: [ItemKey: UInt64] = [:]
        for (channel, result) in results.enumerated() {
            for item in result.candidates.items { found[item, default: 0] |= 1 << UInt64(channel) }
        }
        let items = found.keys.sorted()
        candidates = Set(items)
        var query = RankingQuery(state, scene, items: SharedBuffer(items))
        query.found = SharedBuffer(items.map { found[$0] ?? 0 })
        query.channelCount = results.count
        ranked = ranker.rank(query).items.items
        query.cut = PreRankCut(keep: 0)
        let all = ranker.rank(query).items
        rankedAll = all.items
        preRankedAll = zip(all.items, all.preRankPositions).sorted { $0.1 < $1.1 }.map(\.0)
    }
}

/// Sums over users.
private struct FunnelTally {
    private var figures = FunnelFigures(
        users: 0, candidates: 0, cut: PreRankCut().keep, page: 0, clicks: 0, lostToFilter: 0, lostInRecall: 0,
        lostInPreRanking: 0, lostInRanking: 0, agreement: 0, agreementOfTops: 0)
    /// Users with as many candidates as the agreement is of.
    private var compared = 0

    mutating func add(_ task: RecallTask, items: SharedBuffer<ItemKey>, _ pass: FunnelPass, page: Int) {
        figures.candidates += Double(pass.candidates.count)
        figures.clicks += task.relevant.count + task.metAgain
        figures.lostToFilter += task.metAgain
        let (kept, first) = (Set(pass.ranked), Set(pass.ranked.prefix(page)))
        for row in task.relevant {
            let item = items[Int(row)]
            if !pass.candidates.contains(item) {
                figures.lostInRecall += 1
            } else if !kept.contains(item) {
                figures.lostInPreRanking += 1
            } else if !first.contains(item) {
                figures.lostInRanking += 1
            }
        }
        let top = pass.rankedAll.prefix(FunnelFigures.top)
        guard !top.isEmpty else { return }
        let own = Set(pass.preRankedAll.prefix(FunnelFigures.top))
        compared += 1
        figures.agreement += Double(top.count { kept.contains($0) }) / Double(top.count)
        figures.agreementOfTops += Double(top.count { own.contains($0) }) / Double(top.count)
    }

    func figures(users: Int, page: Int) -> FunnelFigures {
        var result = figures
        (result.users, result.page) = (users, page)
        result.candidates /= Double(max(users, 1))
        result.agreement /= Double(max(compared, 1))
        result.agreementOfTops /= Double(max(compared, 1))
        return result
    }
}
