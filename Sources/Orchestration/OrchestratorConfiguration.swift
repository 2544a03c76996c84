import Catalog
public import Ranking
public import Recall

/// Sizes and time limits of the funnel.
public struct OrchestratorConfiguration: Sendable, Equatable {
    /// Items of a page when the request does not say, 1...``RequestLimits/pageSizeMax``.
    public var pageSize = 20
    /// Recall channels and candidates of each, in the order in which provenance lists them; at most 64.
    public var channels: [ChannelRequest] = []
    /// Candidates sent to the ranker; recall's worst are cut.
    public var candidatesMax = 2000
    /// What comes through from the pre-ranker to the ranker.
    public var cut = PreRankCut()
    /// Candidates the ranker returns at most.
    public var rankLimit = 500
    /// Places of a page for new items that have not had their guaranteed impressions, where ranking gives them none.
    public var newItemPlaces = 1
    /// How often the shards are told of impressions of new items.
    public var impressionReportInterval: Duration = .seconds(1)
    /// How soon the rankers are told of events.
    public var statisticsInterval: Duration = .milliseconds(200)
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
    /// Bytes of a user, item, event or request id, as in imports.
    public static let idBytesMax = 1024
    /// Items that the caller excludes: more belong into the user's state.
    public static let excludedMax = 1000
    public static let eventsMax = 1000
    /// Keys of a request's context; a data set has at most 64 fields of it.
    public static let contextMax = 128
    /// Items of one upsert.
    public static let itemsMax = 1000
    /// Bytes of a title, a category or the name of a city, as in imports.
    public static let textBytesMax = 1024
    /// Four months, as in imports: more is a mistaken unit.
    public static let durationSecondsMax: Float = 10_000_000
    /// The last millisecond of the year 9999.
    public static let timeMillisecondsMax = ISOTime.millisecondsMax
    /// Items of one report of impressions.
    public static let countsMax = 100_000
    /// Events of one report of statistics, profile fields of each, and bytes of a snapshot's version.
    public static let statisticsMax = 10_000
    public static let versionBytesMax = 128
    public static let profileFieldsMax = 64
    /// How far ahead of this machine's clock an event may be: five minutes of clock error.
    public static let clockErrorMillisecondsMax: Int64 = 5 * 60 * 1000
}
