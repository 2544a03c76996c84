public import Recall

/// Sizes and time limits of the funnel.
public struct OrchestratorConfiguration: Sendable, Equatable {
    /// Items of a page when the request does not say, 1...``RequestLimits/pageSizeMax``.
    public var pageSize = 20
    /// Recall channels and candidates of each, in the order in which provenance lists them.
    public var channels: [ChannelRequest] = []
    /// Candidates sent to the ranker; recall's worst are cut.
    public var candidatesMax = 2000
    /// Candidates the ranker returns at most.
    public var rankLimit = 500
    /// The whole request, when the caller sets no deadline or a later one.
    public var requestTimeout: Duration = .milliseconds(200)
    /// Waiting for the recall shards.
    public var recallTimeout: Duration = .milliseconds(80)
    /// Waiting for the ranker.
    public var rankTimeout: Duration = .milliseconds(100)

    public init() {}
}

/// Bounds on what one request may ask.
public enum RequestLimits {
    public static let pageSizeMax = 500
    /// Bytes of a user, item, event or request id; ids of real systems are far shorter.
    public static let idBytesMax = 256
    /// Items that the caller excludes: more belong into the user's state.
    public static let excludedMax = 1000
    public static let eventsMax = 1000
    /// How far ahead of this machine's clock an event may be: five minutes of clock error.
    public static let clockErrorMillisecondsMax: Int64 = 5 * 60 * 1000
}
