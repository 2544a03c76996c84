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

    private let shard: Int
    private let shardCount: Int
    private let snapshots: SnapshotAccess<RecallShardEngine>
    private let live: LiveItems

    /// - Parameters:
    ///   - shard: which this process serves, of how many.
    ///   - live: its live segment, the one that the snapshots' engines look at.
    public init(
        shard: Int, of shardCount: Int, snapshots: SnapshotAccess<RecallShardEngine>, live: LiveItems = LiveItems()
    ) {
        self.shard = shard
        self.shardCount = shardCount
        self.snapshots = snapshots
        self.live = live
    }

    public func register(in router: inout Router) {
        router.unary(RecallMethods.recall) { [self] request, _ throws(RPCError) in
            let lease = try snapshots.pinned(request.snapshotVersion)
            defer { extendLifetime(lease) }
            let engine = lease.value
            let results = engine.recall(try RecallQuery(request))
            return RecallResponse(
                snapshotVersion: lease.version, shard: UInt32(engine.shard), shardCount: UInt32(engine.shardCount),
                channels: results.map { Messages.ChannelResult($0) },
                liveItems: engine.liveItems(in: results).map { Messages.LiveItem($0) })
        }
        router.unary(RecallMethods.putItems) { [self] request, _ throws(RPCError) in try await put(request) }
        router.unary(RecallMethods.countImpressions) { [self] request, _ throws(RPCError) in try count(request) }
    }

    private func put(_ request: PutItemsRequest) async throws(RPCError) -> PutItemsResponse {
        guard request.shard == shard, request.shardCount == shardCount else {
            throw RPCError(
                .failedPrecondition,
                "is shard \(shard) of \(shardCount), expected \(request.shard) of \(request.shardCount)")
        }
        guard request.items.count <= RequestLimits.itemsMax else {
            throw RPCError(
                .invalidArgument, "items: expected at most \(RequestLimits.itemsMax), found \(request.items.count)")
        }
        var items: [Catalog.LiveItem] = []
        for message in request.items {
            let item = try Catalog.LiveItem(message)
            guard item.key.shard(of: shardCount) == shard else {
                throw RPCError(.invalidArgument, "items: '\(item.publicID)' belongs to another shard")
            }
            items.append(item)
        }
        let lease = snapshots.current()
        defer { extendLifetime(lease) }
        do {
            let held = try await live.put(items) { lease?.value.hasItem($0) ?? false }
            lease?.value.refreshLiveItems()
            return PutItemsResponse(held: UInt32(held))
        } catch {
            throw RPCError(.unavailable, "the items cannot be kept: \(error)", cause: error)
        }
    }

    private func count(_ request: CountImpressionsRequest) throws(RPCError) -> CountImpressionsResponse {
        guard request.items.count == request.counts.count, request.items.count <= RequestLimits.countsMax else {
            throw RPCError(
                .invalidArgument,
                "counts: expected one per item (\(request.items.count)) and at most \(RequestLimits.countsMax), found "
                    + "\(request.counts.count)")
        }
        let lease = snapshots.current()
        defer { extendLifetime(lease) }
        let pairs = request.items.indices.map { (ItemKey(rawValue: request.items[$0]), request.counts[$0]) }
        live.count(pairs.filter { lease?.value.countsImpressions(of: $0.0) ?? false })
        return CountImpressionsResponse()
    }
}

extension Messages.LiveItem {
    init(_ item: Catalog.LiveItem) {
        self.init(
            itemID: item.publicID, title: item.title, category: item.category, authorKey: item.author,
            cityKey: item.city, publishTimeMilliseconds: item.publishMilliseconds,
            durationSeconds: item.durationSeconds,
            place: item.place.map { Coordinates(latitude: $0.latitude, longitude: $0.longitude) },
            quality: item.quality ?? 0, price: item.price ?? 0)
    }
}

extension Catalog.LiveItem {
    /// - Throws: INVALID_ARGUMENT that names the field, what was expected and what was found.
    init(_ message: Messages.LiveItem) throws(RPCError) {
        try RequestLimits.check(id: message.itemID, "item_id")
        self.init(
            publicID: message.itemID, title: try RequestLimits.text(message.title, "title"),
            category: try RequestLimits.text(message.category, "category"), author: message.authorKey,
            city: message.cityKey,
            publishMilliseconds: try RequestLimits.amount(message.publishTimeMilliseconds, "publish_time_ms"),
            durationSeconds: try RequestLimits.amount(
                message.durationSeconds, "duration_seconds", max: RequestLimits.durationSecondsMax),
            place: try RequestLimits.place(message.place),
            quality: message.quality == 0 ? nil : try RequestLimits.amount(message.quality, "quality", max: 1),
            price: message.price == 0
                ? nil : try RequestLimits.amount(message.price, "price", max: Float(ItemTable.priceMax)))
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
