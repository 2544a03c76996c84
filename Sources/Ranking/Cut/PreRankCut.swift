/// What the pre-ranker lets through: the best, but of each recall channel and of each category a few at least, so that one
/// channel cannot fill the ranker.
public struct PreRankCut: Hashable, Sendable {
    /// Candidates in all; 0 for all.
    public var keep = 500
    /// Of each channel, as far as it found so many.
    public var channelMinimum = 10
    /// Of each category, as far as there are so many; the unknown category is none.
    public var categoryMinimum = 1

    public init() {}

    public init(keep: Int, channelMinimum: Int = 0, categoryMinimum: Int = 0) {
        self.keep = keep
        self.channelMinimum = channelMinimum
        self.categoryMinimum = categoryMinimum
    }

    /// Channels of one request.
    public static let channelsMax = 64
}
