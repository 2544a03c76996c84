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

    /// Takes note of a page that is about to be returned.
    ///
    /// - Returns: items of it that were shown since the user was looked at: on a page asked for at the same time.
    func record(_ page: ShownPage, to user: UserKey, now: Int64) async throws -> Set<ItemKey>
}

/// One user at one moment, as the funnel needs him.
public struct UserView: Sendable {
    public var state: UserState
    /// Items that must not be shown and are known by key: hidden by the user, among his last-n, or shown just now, in the
    /// last pages. Ascending.
    public var excluded: [ItemKey]
    /// Everything that was shown inside the window, which must not be shown either.
    public var exposures: ExposureFilter
    /// How many of those are not among `excluded`, about.
    public var unnamedCount: Int
    /// Events reported since the snapshot's log ended.
    public var liveEventCount: Int
    /// Where he last said he was.
    public var place: Place?
    /// What the ranker kept for him.
    public var cached: [CachedItem]

    public init(
        state: UserState, excluded: [ItemKey] = [], exposures: ExposureFilter = ExposureFilter(),
        unnamedCount: Int = 0,
        liveEventCount: Int = 0, place: Place? = nil, cached: [CachedItem] = []
    ) {
        self.cached = cached
        self.place = place
        self.state = state
        self.excluded = excluded
        self.exposures = exposures
        self.unnamedCount = unnamedCount
        self.liveEventCount = liveEventCount
    }
}

/// A page as it was returned, and what the request told of the user.
public struct ShownPage: Sendable {
    public var items: [ItemKey]
    /// Where he said he was.
    public var place: Place?
    /// Cached items that were candidates for it.
    public var offered: [ItemKey]
    /// What the ranker put next, best first.
    public var kept: [CachedItem]

    public init(items: [ItemKey], place: Place? = nil, offered: [ItemKey] = [], kept: [CachedItem] = []) {
        self.items = items
        self.place = place
        self.offered = offered
        self.kept = kept
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
