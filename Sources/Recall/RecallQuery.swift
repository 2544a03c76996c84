public import Catalog
public import Kernels

/// What one request asks of a shard's channels: everything they may know of the user.
public struct RecallQuery: Sendable {
    public var user: UserKey
    /// Last-n, newest first.
    public var triggers: SharedBuffer<ItemKey>
    /// like(u, i) of each trigger.
    public var triggerWeights: SharedBuffer<Float>
    /// The two-tower user vector, `[d]`, unit length; empty switches the vector channel off.
    public var userVector: SharedBuffer<Float>
    public var channels: [ChannelRequest]
    /// Items that must not be returned.
    public var excludedItems: SharedBuffer<ItemKey>
    /// Milliseconds since 1970.
    public var timeMilliseconds: Int64

    public init(
        user: UserKey, triggers: SharedBuffer<ItemKey> = [], triggerWeights: SharedBuffer<Float> = [],
        userVector: SharedBuffer<Float> = [], channels: [ChannelRequest], excludedItems: SharedBuffer<ItemKey> = [],
        timeMilliseconds: Int64 = 0
    ) {
        self.user = user
        self.triggers = triggers
        self.triggerWeights = triggerWeights
        self.userVector = userVector
        self.channels = channels
        self.excludedItems = excludedItems
        self.timeMilliseconds = timeMilliseconds
    }
}

/// How many candidates are wanted of one channel.
public struct ChannelRequest: Hashable, Sendable {
    public var channel: String
    public var limit: Int

    public init(channel: String, limit: Int) {
        self.channel = channel
        self.limit = limit
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

/// The channels of the first slice, by the names that requests, snapshots and configurations use.
public enum ChannelName {
    public static let twoTower = "two-tower"
    public static let itemCF = "itemcf"
    public static let popular = "popular"
    public static let newest = "newest"
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
