public import Catalog

/// Running counts of what followed showings of one thing: an item, a category, an author, a surface, a user.
@frozen
public struct ActivityCounts: Hashable, Sendable, BitwiseCopyable {
    public var impressions: Float = 0
    public var clicks: Float = 0
    /// Seconds watched after a click.
    public var watchSeconds: Float = 0

    public init() {}

    public init(impressions: Float, clicks: Float, watchSeconds: Float) {
        self.impressions = impressions
        self.clicks = clicks
        self.watchSeconds = watchSeconds
    }

    public mutating func add(_ other: ActivityCounts) {
        impressions += other.impressions
        clicks += other.clicks
        watchSeconds += other.watchSeconds
    }

    public mutating func add(_ outcome: Outcome) {
        impressions += 1
        clicks += outcome.isClick ? 1 : 0
        watchSeconds += outcome.watchSeconds
    }
}

/// The labels of one showing.
@frozen
public struct Outcome: Hashable, Sendable, BitwiseCopyable {
    public var isClick: Bool
    /// Seconds watched; 0 when not clicked.
    public var watchSeconds: Float

    public init(isClick: Bool, watchSeconds: Float) {
        self.isClick = isClick
        self.watchSeconds = isClick ? watchSeconds : 0
    }

    public init(actions: Actions, watchSeconds: Float) {
        self.init(isClick: actions.contains(.click), watchSeconds: watchSeconds)
    }
}
