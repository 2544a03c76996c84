public import Catalog

/// Where live user state is kept: what users did, and what they were shown, since the snapshot's log ended.
///
/// One process's memory for now; a durable store behind the network takes its place without a change to its callers.
public protocol UserStateStore: Sendable {
    /// What is known of a user now.
    ///
    /// - Parameters:
    ///   - base: the user's state in the snapshot that the request is pinned to.
    ///   - dataUntil: end of that snapshot's training log, milliseconds since 1970: later events are added to `base`.
    ///   - now: milliseconds since 1970.
    func view(of base: UserState, dataUntil: Int64, now: Int64) async throws -> UserView

    /// Takes note of events; one outcome per event, in order.
    func record(_ events: [UserEvent], now: Int64) async throws -> [RecordOutcome]

    /// Takes note of a page that was returned.
    func recordShown(_ items: [ItemKey], to user: UserKey, now: Int64) async throws
}

/// One user at one moment, as the funnel needs him.
public struct UserView: Sendable {
    public var state: UserState
    /// Items that must not be shown: shown inside the window, hidden by the user, or among his last-n. Ascending.
    public var excluded: [ItemKey]
    /// How many of them were shown inside the window.
    public var shownCount: Int
    /// Events reported since the snapshot's log ended.
    public var liveEventCount: Int

    public init(state: UserState, excluded: [ItemKey] = [], shownCount: Int = 0, liveEventCount: Int = 0) {
        self.state = state
        self.excluded = excluded
        self.shownCount = shownCount
        self.liveEventCount = liveEventCount
    }
}

/// Something a user did.
public struct UserEvent: Hashable, Sendable {
    /// Unique; an event recorded twice counts once.
    public var id: String
    public var user: UserKey
    public var interaction: Interaction

    public init(id: String, user: UserKey, interaction: Interaction) {
        self.id = id
        self.user = user
        self.interaction = interaction
    }
}

/// What became of an event.
public enum RecordOutcome: Hashable, Sendable {
    case accepted
    /// An event with this id was recorded before.
    case duplicate
    case rejected(String)
}
