import Catalog
import Kernels
import Messages
public import RPC
import Recall

/// A recall shard as the orchestrator calls it: one client over all its replicas.
public struct ShardClient: Sendable {
    public var client: Client
    /// The replicas' addresses, for messages.
    public var address: String

    public init(client: Client, address: String) {
        self.client = client
        self.address = address
    }
}

/// One call per shard, carrying every channel; the answers merged channel by channel.
struct RecallStage: Sendable {
    let shards: [ShardClient]

    /// What recall asks of every shard for one request.
    struct Query {
        var version: String
        /// Whose last-n are the triggers.
        var state: Catalog.UserState
        var channels: [ChannelRequest]
        /// Ascending.
        var excluded: [ItemKey]
        var timeMilliseconds: Int64
    }

    struct Output {
        /// One per channel asked for, merged over the shards.
        var channels: [Recall.ChannelResult]
        /// Those of the candidates that the snapshot does not have.
        var live: [Messages.LiveItem] = []
        var reports: [StageReport]
    }

    /// - Throws: UNAVAILABLE when no shard answered.
    func run(_ query: Query, deadline: Deadline, notes: inout CompletenessNotes) async throws(RPCError) -> Output {
        let start = ContinuousClock.now
        let results = await FanOut.call(
            requests(query), RecallMethods.recall, options: CallOptions(deadline: deadline))
        let elapsed = ContinuousClock.now - start
        notes.shardsAsked = shards.count
        notes.shardsAnswered = 0
        var answers: [[Recall.ChannelResult]] = []
        var output = Output(channels: [], reports: [])
        var firstFailure: RPCError?
        for (shard, result) in results.enumerated() {
            var report = StageReport(
                stage: "recall shard \(shard)", address: shards[shard].address, microseconds: elapsed.microseconds)
            do throws(RPCError) {
                let response = try result.get()
                report.snapshotVersion = response.snapshotVersion
                let answer = try accepted(response, shard: shard, query, &notes)
                report.itemsOut = UInt32(answer.reduce(0) { $0 + $1.candidates.count })
                output.live += response.liveItems
                notes.shardsAnswered += 1
                answers.append(answer)
            } catch {
                firstFailure = firstFailure ?? error
                report.note = error.message
                notes.miss(
                    channels: query.channels.map(\.channel),
                    because: "recall shard \(shard) (\(shards[shard].address)): \(error.code.name): \(error.message)")
            }
            output.reports.append(report)
        }
        if answers.isEmpty {
            throw RPCError(
                .unavailable,
                "none of \(shards.count) recall shards answered: \(firstFailure?.message ?? "there are none")",
                cause: firstFailure)
        }
        output.channels = query.channels.enumerated().map { index, channel in
            ChannelMerge.merge(answers.map { $0[index] }, channel: channel.channel, limit: channel.limit)
        }
        return output
    }

    /// The same request for every shard but for the exclusions: a shard gets those of its own items.
    private func requests(_ query: Query) -> [(client: Client, request: RecallRequest)] {
        let triggers = Triggers(query.state)
        var request = RecallRequest(
            snapshotVersion: query.version, userKey: query.state.user.rawValue,
            triggerItems: triggers.items.reinterpreted(as: UInt64.self), triggerWeights: triggers.weights,
            channels: query.channels.map(ChannelQuery.init),
            timeMilliseconds: query.timeMilliseconds)
        var excluded = [[UInt64]](repeating: [], count: shards.count)
        for item in query.excluded { excluded[item.shard(of: shards.count)].append(item.rawValue) }
        return shards.enumerated().map { index, shard in
            request.excludedItems = SharedBuffer(excluded[index])
            return (shard.client, request)
        }
    }

    /// One result per channel asked for, in their order. Refuses answers of another snapshot or another partition.
    private func accepted(
        _ response: RecallResponse, shard: Int, _ query: Query, _ notes: inout CompletenessNotes
    ) throws(RPCError) -> [Recall.ChannelResult] {
        guard response.snapshotVersion == query.version else {
            throw RPCError(
                .failedPrecondition,
                "answered from snapshot '\(response.snapshotVersion)', expected '\(query.version)'")
        }
        guard response.shard == shard, response.shardCount == shards.count else {
            throw RPCError(
                .failedPrecondition,
                "is shard \(response.shard) of \(response.shardCount), expected \(shard) of \(shards.count)")
        }
        return query.channels.map { wanted in
            let result =
                response.channels.first { $0.channel == wanted.channel }
                .map(Recall.ChannelResult.init)
                ?? Recall.ChannelResult(channel: wanted.channel, error: "no answer for the channel")
            if !result.error.isEmpty {
                notes.miss(
                    channels: [wanted.channel], because: "recall shard \(shard): \(wanted.channel): \(result.error)")
            }
            return result
        }
    }
}

extension ChannelQuery {
    init(_ request: ChannelRequest) {
        self.init(
            channel: request.channel, limit: UInt32(request.limit), keys: request.input.keys,
            weights: request.input.weights, vector: request.input.vector)
    }
}

extension Recall.ChannelResult {
    init(_ message: Messages.ChannelResult) {
        let isParallel = message.items.count == message.scores.count
        self.init(
            channel: message.channel,
            candidates: isParallel
                ? Candidates(items: message.items.reinterpreted(as: ItemKey.self), scores: message.scores)
                : Candidates(),
            error: isParallel
                ? message.error
                : "expected as many scores as items, found \(message.scores.count) for "
                    + "\(message.items.count)",
            duration: .microseconds(Int64(clamping: message.microseconds)))
    }
}

extension Duration {
    var microseconds: UInt64 {
        UInt64(clamping: components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000)
    }
}
