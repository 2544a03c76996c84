/// Bounds on what is kept of users in memory.
public struct OverlayLimits: Sendable, Hashable {
    /// How long a shown item stays away, and how many others are hidden by mistake.
    public var exposures = ExposureFilter.Configuration()
    /// When items that the ranker kept leave.
    public var cache = RecallCache.Rules()
    /// The newest shown items that are kept by key, so that a request can tell the recall shards of them: 25 pages.
    public var recentlyShownMax = 500
    /// Events kept per user: twice the last-n, which is all that models see of them.
    public var eventsPerUserMax = 400
    /// Hidden items kept per user.
    public var hiddenPerUserMax = 2_000
    /// Users, and bytes of all users together, kept; beyond either, the users who were quiet for longest are forgotten.
    public var usersMax = 200_000
    public var bytesMax = 512 << 20
    /// Event ids remembered for telling duplicates, the newest.
    public var eventIDsMax = 1_000_000

    public init() {}
}
