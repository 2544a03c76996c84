import Catalog
import Kernels
import Messages
public import RPC
public import Recall

/// `tributary.v1.Recall`: every channel of one shard in one call.
public struct RecallShardService: RPCService {
    public static let serviceName = RecallMethods.service

    /// Candidates that one channel may be asked for.
    static let limitMax: UInt32 = 10_000

    private let snapshots: SnapshotAccess<RecallShardEngine>

    public init(snapshots: SnapshotAccess<RecallShardEngine>) {
        self.snapshots = snapshots
    }

    public func register(in router: inout Router) {
        router.unary(RecallMethods.recall) { [self] request, _ throws(RPCError) in
            let lease = try snapshots.pinned(request.snapshotVersion)
            defer { extendLifetime(lease) }
            let engine = lease.value
            let results = engine.recall(try RecallQuery(request))
            return RecallResponse(
                snapshotVersion: lease.version, shard: UInt32(engine.shard), shardCount: UInt32(engine.shardCount),
                channels: results.map { Messages.ChannelResult($0) })
        }
    }
}

extension RecallQuery {
    init(_ request: RecallRequest) throws(RPCError) {
        guard request.triggerItems.count == request.triggerWeights.count else {
            throw RPCError(
                .invalidArgument,
                "trigger_weights: expected one per trigger item (\(request.triggerItems.count)), "
                    + "found \(request.triggerWeights.count)")
        }
        var channels: [ChannelRequest] = []
        for channel in request.channels { channels.append(try ChannelRequest(channel)) }
        self.init(
            user: UserKey(rawValue: request.userKey),
            triggers: request.triggerItems.reinterpreted(as: ItemKey.self), triggerWeights: request.triggerWeights,
            channels: channels,
            excludedItems: request.excludedItems.reinterpreted(as: ItemKey.self),
            timeMilliseconds: request.timeMilliseconds)
    }
}

extension ChannelRequest {
    init(_ query: ChannelQuery) throws(RPCError) {
        guard query.limit <= RecallShardService.limitMax else {
            throw RPCError(
                .invalidArgument,
                "channels: \(query.channel): expected a limit up to \(RecallShardService.limitMax), found \(query.limit)"
            )
        }
        guard query.keys.count == query.weights.count else {
            throw RPCError(
                .invalidArgument,
                "channels: \(query.channel): expected a weight per key (\(query.keys.count)), found \(query.weights.count)"
            )
        }
        self.init(
            channel: query.channel, limit: Int(query.limit),
            input: ChannelInput(keys: query.keys, weights: query.weights, vector: query.vector))
    }
}

extension Messages.ChannelResult {
    init(_ result: Recall.ChannelResult) {
        self.init(
            channel: result.channel, items: result.candidates.items.reinterpreted(as: UInt64.self),
            scores: result.candidates.scores, error: result.error, microseconds: result.duration.microseconds)
    }
}
