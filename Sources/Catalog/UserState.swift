/// What is known of a user at one moment: the input of every user-side model, in training and in serving.
///
/// Training replays the event log through ``record(_:)``; serving starts from the snapshot's user table and records
/// live events through the same function, so both see the same features.
public struct UserState: Hashable, Sendable {
    /// Positively touched items kept per user: the last-n of recall and ranking features.
    public static let recentMax = 200

    public var user: UserKey
    /// False for a user of whom nothing, neither profile nor history, is known.
    public var isKnown: Bool
    /// One value index per user field of the data set; 0 is unknown.
    public var profile: [UInt32]
    /// Positively touched items, oldest first, at most ``recentMax``.
    public private(set) var recent: [Interaction]
    public private(set) var impressions: Float
    /// Never more than ``impressions``: a click whose showing was not recorded says nothing of the user's click rate.
    public private(set) var clicks: Float
    public private(set) var watchSeconds: Float

    public init(
        user: UserKey, isKnown: Bool, profile: [UInt32], recent: [Interaction] = [], impressions: Float = 0,
        clicks: Float = 0, watchSeconds: Float = 0
    ) {
        self.user = user
        self.isKnown = isKnown
        self.profile = profile
        self.recent = Array(recent.suffix(Self.recentMax))
        self.impressions = impressions
        self.clicks = clicks
        self.watchSeconds = watchSeconds
    }

    /// The same with the times of touches told on another clock.
    public func told(by clock: LogClock) -> UserState {
        guard clock.shift != 0 else { return self }
        var state = self
        for index in recent.indices { state.recent[index].timeMilliseconds = clock(recent[index].timeMilliseconds) }
        return state
    }

    /// Takes note of one showing or one later action.
    ///
    /// An action on the item touched last joins that entry, since a like follows its click as an event of its own.
    public mutating func record(_ interaction: Interaction) {
        isKnown = true
        if interaction.actions.contains(.impression) { impressions += 1 }
        if interaction.actions.contains(.click) { clicks = min(clicks + 1, impressions) }
        watchSeconds += interaction.watchSeconds
        guard !interaction.actions.isDisjoint(with: .positive) || interaction.watchSeconds > 0 else { return }
        if let last = recent.indices.last, recent[last].item == interaction.item {
            recent[last].actions.formUnion(interaction.actions)
            recent[last].watchSeconds += interaction.watchSeconds
            recent[last].timeMilliseconds = max(recent[last].timeMilliseconds, interaction.timeMilliseconds)
            return
        }
        if recent.count == Self.recentMax { recent.removeFirst() }
        recent.append(interaction)
    }
}
