/// What a user did with an item that was shown to him.
public struct Actions: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    public static let impression = Actions(rawValue: 1 << 0)
    public static let click = Actions(rawValue: 1 << 1)
    public static let like = Actions(rawValue: 1 << 2)
    public static let collect = Actions(rawValue: 1 << 3)
    public static let share = Actions(rawValue: 1 << 4)
    public static let comment = Actions(rawValue: 1 << 5)
    public static let follow = Actions(rawValue: 1 << 6)
    public static let hide = Actions(rawValue: 1 << 7)
    public static let finish = Actions(rawValue: 1 << 8)
    public static let cart = Actions(rawValue: 1 << 9)
    public static let purchase = Actions(rawValue: 1 << 10)

    /// Actions that put an item among the user's last-n.
    public static let positive: Actions = [
        .click, .like, .collect, .share, .comment, .follow, .finish, .cart, .purchase,
    ]

    /// like(u, i): one point each for click, like, collect and share, 0...4.
    public var interest: Float {
        Float((rawValue & Self.interesting.rawValue).nonzeroBitCount)
    }

    private static let interesting: Actions = [.click, .like, .collect, .share]
}

/// One item in one user's history: everything he did with it at one showing.
public struct Interaction: Hashable, Sendable {
    public var item: ItemKey
    /// Milliseconds since 1970.
    public var timeMilliseconds: Int64
    public var actions: Actions
    public var watchSeconds: Float

    public init(item: ItemKey, timeMilliseconds: Int64, actions: Actions, watchSeconds: Float = 0) {
        self.item = item
        self.timeMilliseconds = timeMilliseconds
        self.actions = actions
        self.watchSeconds = watchSeconds
    }
}

/// Where and when a page is shown.
public struct Scene: Hashable, Sendable {
    /// Milliseconds since 1970.
    public var timeMilliseconds: Int64
    /// The moment at which ages and counts are told: the same, or what it is on the clock of the snapshot's log.
    public var asOf: Int64
    /// Index of the surface (tab, page) among the data set's surfaces; 0 is unknown.
    public var surface: UInt16
    /// For each context field of the data set the row of its value: 0 is unknown, and so is one past the vocabulary.
    /// Fields left out are unknown.
    public var contexts: [UInt32]

    public init(timeMilliseconds: Int64, surface: UInt16 = 0, contexts: [UInt32] = []) {
        self.timeMilliseconds = timeMilliseconds
        asOf = timeMilliseconds
        self.surface = surface
        self.contexts = contexts
    }
}
