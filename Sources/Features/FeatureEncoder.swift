public import Catalog
import Kernels

/// The one definition of features, used by training and serving alike: what a state, a scene and an item become.
public struct FeatureEncoder: Sendable {
    public let columns: ItemColumns
    public let itemIndex: KeyIndex
    public let userIndex: KeyIndex
    public let priors: RatePriors
    /// Values per profile field, in the data set's order.
    public let profileSizes: [Int]
    /// Newest clicked items that the user towers pool, at most `UserState.recentMax`.
    public let recentItems: Int

    public init(
        columns: ItemColumns, itemIndex: KeyIndex, userIndex: KeyIndex, priors: RatePriors,
        profileSizes: [Int], recentItems: Int
    ) {
        self.columns = columns
        self.itemIndex = itemIndex
        self.userIndex = userIndex
        self.priors = priors
        self.profileSizes = profileSizes
        self.recentItems = recentItems
    }

    /// Time since publication as a feature: log(1 + days) / 6; an unknown time counts as three weeks.
    package static func age(published: Int64, now: Int64) -> Float {
        guard published > 0 else { return logPlusOne(21) / 6 }
        return logPlusOne(Clock.hours(from: published, to: now) / 24) / 6
    }
}
