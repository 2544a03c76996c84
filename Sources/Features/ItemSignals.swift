import Kernels

/// What statistics say of one item, whoever the user is. Log-odds are deviations from the prior's own.
@frozen
public struct ItemSignals: Hashable, Sendable, BitwiseCopyable {
    public var itemLogOdds: Float
    public var categoryLogOdds: Float
    public var authorLogOdds: Float
    /// log(1 + impressions).
    public var logImpressions: Float
    /// log(1 + smoothed seconds watched per click).
    public var logWatch: Float

    /// - Parameter row: Catalogue row of the item.
    public init(row: Int, statistics: borrowing ActivityStatistics, columns: ItemFeatureColumns, priors: RatePriors) {
        self.init(
            statistics.items[row], category: Int(columns.categories[row]), author: Int(columns.authors[row]),
            statistics: statistics, priors: priors)
    }

    /// Of an item that was never shown.
    public init(_ item: ItemFeatures, statistics: borrowing ActivityStatistics, priors: RatePriors) {
        self.init(
            ActivityCounts(), category: Int(item.category), author: Int(item.author), statistics: statistics,
            priors: priors)
    }

    /// Nothing is known.
    static let none = ItemSignals()

    private init() {
        (itemLogOdds, categoryLogOdds, authorLogOdds, logImpressions, logWatch) = (0, 0, 0, 0, 0)
    }

    private init(
        _ item: ActivityCounts, category: Int, author: Int, statistics: borrowing ActivityStatistics,
        priors: RatePriors
    ) {
        itemLogOdds = priors.item.deviation(item)
        categoryLogOdds = category == 0 ? 0 : priors.category.deviation(statistics.categories[category])
        authorLogOdds = author == 0 ? 0 : priors.author.deviation(statistics.authors[author])
        logImpressions = logPlusOne(item.impressions)
        logWatch = logPlusOne(
            (item.watchSeconds + Self.watchStrength * priors.watchSecondsPerClick) / (item.clicks + Self.watchStrength))
    }

    /// Clicks' worth of belief in the common watch time.
    private static let watchStrength: Float = 5
}

extension BetaPrior {
    /// Log-odds of the smoothed click rate less those of the prior.
    package func deviation(_ counts: ActivityCounts) -> Float {
        logOdds(successes: counts.clicks, trials: counts.impressions) - logOdds
    }
}
