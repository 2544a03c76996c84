public import Blobs
import Catalog
import Kernels
import Synchronization

/// Every channel of one shard of one snapshot. Immutable; any number of requests may run at once.
public final class RecallShardEngine: Sendable {
    public let shard: Int
    public let shardCount: Int
    private let channels: [String: any RecallChannel]
    /// As many as requests ever ran at once.
    private let scratches = Mutex<[RecallScratch]>([])

    /// Kinds of snapshot components that a shard loads when the snapshot has them.
    public static let componentKinds = Set(ChannelLoader.all.map(\.component))

    /// - Parameter components: the shard's components by kind; a channel without its component answers with an error.
    /// - Throws: when a component is not what its channel reads.
    public init(shard: Int, of shardCount: Int, components: [String: SafetensorsFile]) throws {
        self.shard = shard
        self.shardCount = shardCount
        var channels: [String: any RecallChannel] = [:]
        for loader in ChannelLoader.all {
            if let file = components[loader.component] { channels[loader.name] = try loader.load(file) }
        }
        self.channels = channels
    }

    /// An engine of channels made elsewhere: by a build that is being evaluated, by a test.
    public init(shard: Int, of shardCount: Int, channels: [String: any RecallChannel]) {
        self.shard = shard
        self.shardCount = shardCount
        self.channels = channels
    }

    public var channelNames: [String] { channels.keys.sorted() }

    /// Runs the channels asked for, in their order. A channel that fails answers with its error; the others are not
    /// affected.
    public func recall(_ query: RecallQuery) -> [ChannelResult] {
        let scratch = scratches.withLock { $0.popLast() } ?? RecallScratch()
        defer { scratches.withLock { $0.append(scratch) } }
        scratch.exclude(query.excludedItems)
        return query.channels.map { run($0, query, scratch) }
    }

    private func run(_ request: ChannelRequest, _ query: RecallQuery, _ scratch: RecallScratch) -> ChannelResult {
        let clock = ContinuousClock()
        let start = clock.now
        var result = ChannelResult(channel: request.channel)
        do throws(RecallError) {
            guard let channel = channels[request.channel] else {
                throw RecallError(
                    .invalidRequest,
                    "shard \(shard) has no channel \"\(request.channel)\"; it has \(channelNames.joined(separator: ", "))"
                )
            }
            if request.limit > 0 {
                result.candidates = try channel.candidates(
                    for: query, input: request.input, limit: request.limit, scratch: scratch)
            }
        } catch {
            result.error = error.message
        }
        result.duration = clock.now - start
        return result
    }
}
