/// Bounds on what the in-memory overlay keeps. The defaults come to about 250 MB when everything is full.
public struct OverlayLimits: Sendable, Hashable {
    /// How long a shown item stays away: 30 days.
    public var shownWindowMilliseconds: Int64 = 30 * 24 * 3600 * 1000
    /// Shown items kept per user; beyond it the ones shown first may come again. 10,000 is 500 pages in 30 days.
    public var shownPerUserMax = 10_000
    /// Events kept per user: twice the last-n, which is all that models see of them.
    public var eventsPerUserMax = 400
    /// Hidden items kept per user.
    public var hiddenPerUserMax = 2_000
    /// Users and, over all users, entries (events, shown and hidden items) kept; beyond either, the users who were
    /// quiet for longest are forgotten.
    public var usersMax = 200_000
    public var entriesMax = 4_000_000
    /// Event ids remembered for telling duplicates, the newest.
    public var eventIDsMax = 1_000_000

    public init() {}
}
