public import Blobs

/// One way of finding candidates among a shard's items. A new channel is a new type in a file of its own and one line
/// in ``ChannelLoader/all``.
///
/// Channels are immutable: what a request needs to write goes into the scratch it brings along.
public protocol RecallChannel: Sendable {
    /// The best `limit` items for the query, without ``RecallQuery/excludedItems``; best first, ties by ascending key.
    ///
    /// - Parameters:
    ///   - input: what the channel's ``ChannelEncoder`` made of the user; empty for a channel without one.
    ///   - limit: candidates wanted, at least 1; far more than the shard has items is fine.
    func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates
}

/// How a shard gets one channel out of a snapshot.
public struct ChannelLoader: Sendable {
    /// What requests call the channel.
    public var name: String
    /// Kind of the per-shard snapshot component that the channel is loaded from.
    public var component: String
    public var load: @Sendable (SafetensorsFile) throws -> any RecallChannel

    public init(
        name: String, component: String, load: @escaping @Sendable (SafetensorsFile) throws -> any RecallChannel
    ) {
        self.name = name
        self.component = component
        self.load = load
    }

    /// Every channel this build knows.
    public static let all: [ChannelLoader] = [
        .twoTower, .itemCF, .swing, .userCF, .als, .deepRetrieval, .popular, .newest, .newItem, .place, .city,
        .followedAuthor,
        .author, .similarAuthor, .sequence, .markov, .ease,
    ]
}
