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
        for channel in request.channels where channel.limit > RecallShardService.limitMax {
            throw RPCError(
                .invalidArgument,
                "channels: \(channel.channel): expected a limit up to \(RecallShardService.limitMax), "
                    + "found \(channel.limit)")
        }
        self.init(
            user: UserKey(rawValue: request.userKey),
            triggers: request.triggerItems.reinterpreted(as: ItemKey.self), triggerWeights: request.triggerWeights,
            userVector: request.userVector,
            channels: request.channels.map { ChannelRequest(channel: $0.channel, limit: Int($0.limit)) },
            excludedItems: request.excludedItems.reinterpreted(as: ItemKey.self),
            timeMilliseconds: request.timeMilliseconds)
    }
}

extension Messages.ChannelResult {
    init(_ result: Recall.ChannelResult) {
        self.init(
            channel: result.channel, items: result.candidates.items.reinterpreted(as: UInt64.self),
            scores: result.candidates.scores, error: result.error, microseconds: result.duration.microseconds)
    }
}
