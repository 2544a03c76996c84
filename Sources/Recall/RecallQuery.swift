public import Catalog
public import Kernels

/// What one request asks of a shard's channels: everything they may know of the user.
public struct RecallQuery: Sendable {
    public var user: UserKey
    /// Last-n, newest first.
    public var triggers: SharedBuffer<ItemKey>
    /// like(u, i) of each trigger.
    public var triggerWeights: SharedBuffer<Float>
    public var channels: [ChannelRequest]
    /// Items that must not be returned.
    public var excludedItems: SharedBuffer<ItemKey>
    /// Milliseconds since 1970.
    public var timeMilliseconds: Int64

    public init(
        user: UserKey, triggers: SharedBuffer<ItemKey> = [], triggerWeights: SharedBuffer<Float> = [],
        channels: [ChannelRequest], excludedItems: SharedBuffer<ItemKey> = [],
        timeMilliseconds: Int64 = 0
    ) {
        self.user = user
        self.triggers = triggers
        self.triggerWeights = triggerWeights
        self.channels = channels
        self.excludedItems = excludedItems
        self.timeMilliseconds = timeMilliseconds
    }
}

extension RecallQuery {
    /// The query of a user whose last-n are the triggers.
    public init(_ user: RecallUser, channels: [ChannelRequest], excludedItems: SharedBuffer<ItemKey> = []) {
        let triggers = Triggers(user.state)
        self.init(
            user: user.state.user, triggers: triggers.items, triggerWeights: triggers.weights, channels: channels,
            excludedItems: excludedItems, timeMilliseconds: user.timeMilliseconds)
    }
}

/// How many candidates are wanted of one channel, and what it is told of the user.
public struct ChannelRequest: Equatable, Sendable {
    public var channel: String
    public var limit: Int
    public var input: ChannelInput

    public init(channel: String, limit: Int, input: ChannelInput = ChannelInput()) {
        self.channel = channel
        self.limit = limit
        self.input = input
    }
}

/// The user as one channel sees him: computed once per request by a ``ChannelEncoder``, sent to every shard.
///
/// What keys, weights and vector mean is the channel's to say; one that reads only the triggers leaves all empty.
public struct ChannelInput: Equatable, Sendable {
    /// What the channel looks up: authors, cells, neighbouring users, paths.
    public var keys: SharedBuffer<UInt64>
    /// One per key.
    public var weights: SharedBuffer<Float>
    /// What the channel scores items with, `[d]`.
    public var vector: SharedBuffer<Float>

    public init(keys: SharedBuffer<UInt64> = [], weights: SharedBuffer<Float> = [], vector: SharedBuffer<Float> = []) {
        precondition(keys.count == weights.count, "every key has a weight")
        self.keys = keys
        self.weights = weights
        self.vector = vector
    }
}

/// Items with scores, best first, ties by ascending key; the columns are parallel.
public struct Candidates: Equatable, Sendable {
    public var items: SharedBuffer<ItemKey>
    public var scores: SharedBuffer<Float>

    public init(items: SharedBuffer<ItemKey> = [], scores: SharedBuffer<Float> = []) {
        precondition(items.count == scores.count, "every item has a score")
        self.items = items
        self.scores = scores
    }

    public var count: Int { items.count }
}

/// What one channel of one shard, or of all shards merged, answered.
public struct ChannelResult: Equatable, Sendable {
    public var channel: String
    public var candidates: Candidates
    /// Why the channel could not run, or not on every shard; empty when it did.
    public var error: String
    public var duration: Duration

    public init(channel: String, candidates: Candidates = Candidates(), error: String = "", duration: Duration = .zero)
    {
        self.channel = channel
        self.candidates = candidates
        self.error = error
        self.duration = duration
    }
}

/// The channels, by the names that requests, snapshots and configurations use.
public enum ChannelName {
    public static let twoTower = "two-tower"
    public static let itemCF = "itemcf"
    public static let swing = "swing"
    public static let userCF = "usercf"
    public static let als = "als"
    public static let sequence = "sequence"
    public static let markov = "markov"
    public static let ease = "ease"
    public static let deepRetrieval = "deep-retrieval"
    public static let popular = "popular"
    public static let newest = "newest"
    public static let newItem = "new-item"
    public static let place = "place"
    public static let city = "city"
    public static let followedAuthor = "followed-author"
    public static let author = "author"
    public static let similarAuthor = "similar-author"
    /// What the ranker kept for the user; the orchestrator's own, unknown to shards.
    public static let cache = "cache"
}

/// Why a channel could not be loaded or could not answer.
public struct RecallError: Error, Hashable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// A component's contents contradict each other or its format.
        case corrupt
        /// The request asks for what no channel of the snapshot gives, or contradicts it.
        case invalidRequest
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
