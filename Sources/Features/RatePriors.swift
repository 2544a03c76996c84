public import Catalog
import Kernels

/// The priors of every smoothed click rate: fitted on training rows, then part of the model.
public struct RatePriors: Hashable, Sendable, Codable {
    public var item: BetaPrior
    public var category: BetaPrior
    public var author: BetaPrior
    public var surface: BetaPrior
    public var user: BetaPrior
    /// Mean seconds watched per click.
    public var watchSecondsPerClick: Float

    public init(
        item: BetaPrior, category: BetaPrior, author: BetaPrior, surface: BetaPrior, user: BetaPrior,
        watchSecondsPerClick: Float
    ) {
        self.item = item
        self.category = category
        self.author = author
        self.surface = surface
        self.user = user
        self.watchSecondsPerClick = watchSecondsPerClick
    }

    /// Fits all priors by the method of moments on `rows` of the log.
    ///
    /// Only rows that are trials count.
    /// Unknown categories and authors (index 0) are a mixture, not one thing: they do not take part in their fits.
    ///
    /// - Complexity: O(rows + items + users).
    public init(exposures: ExposureTable, rows: Range<Int>, userCount: Int, columns: ItemFeatureColumns) {
        var statistics = ActivityStatistics(columns: columns, surfaceCount: exposures.surfaceNames.count)
        var users = [ActivityCounts](repeating: ActivityCounts(), count: userCount)
        for row in rows where exposures.isTrial(row) {
            let outcome = Outcome(
                actions: Actions(rawValue: exposures.actions[row]), watchSeconds: exposures.watchSeconds[row])
            statistics.add(
                item: Int(exposures.items[row]), surface: Int(exposures.surfaces[row]), outcome: outcome,
                columns: columns)
            users[Int(exposures.users[row])].add(outcome)
        }
        func fit(_ counts: some Sequence<ActivityCounts>) -> BetaPrior {
            BetaPrior(successes: counts.lazy.map(\.clicks), trials: counts.lazy.map(\.impressions))
        }
        let total = statistics.total
        self.init(
            item: fit(statistics.items), category: fit(statistics.categories.dropFirst()),
            author: fit(statistics.authors.dropFirst()), surface: fit(statistics.surfaces), user: fit(users),
            watchSecondsPerClick: total.clicks > 0 ? total.watchSeconds / total.clicks : 0)
    }
}
