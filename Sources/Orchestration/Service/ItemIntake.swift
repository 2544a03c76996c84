import Catalog
import Messages
import RPC

/// Takes items that the snapshot does not have and sends each to every replica of the shard that owns it.
struct ItemIntake: Sendable {
    /// By shard.
    let replicas: [[ShardClient]]

    /// Judges every item by itself. An item is accepted when a replica of its shard has it; those that did not answer are
    /// named.
    ///
    /// - Throws: INVALID_ARGUMENT when there are too many items.
    func take(
        _ request: UpsertItemsRequest, on snapshot: FunnelSnapshot, deadline: Deadline, now: Int64
    ) async throws(RPCError) -> UpsertItemsResponse {
        guard request.items.count <= RequestLimits.itemsMax else {
            throw RPCError(
                .invalidArgument, "items: expected at most \(RequestLimits.itemsMax), found \(request.items.count)")
        }
        var response = UpsertItemsResponse()
        var parts = [[(index: Int, item: Catalog.LiveItem)]](repeating: [], count: replicas.count)
        for (index, message) in request.items.enumerated() {
            do throws(RPCError) {
                let item = try Catalog.LiveItem(message, now: now)
                guard snapshot.row(of: item.key) == nil else {
                    throw RPCError(
                        .alreadyExists,
                        "snapshot \(snapshot.version) has the item; what changed of it comes with the next snapshot")
                }
                parts[item.key.shard(of: replicas.count)].append((index, item))
            } catch {
                response.rejected.append(RejectedItem(index: UInt32(index), reason: error.message))
            }
        }
        for (shard, part) in parts.enumerated() where !part.isEmpty {
            await send(part, to: shard, deadline, &response)
        }
        response.rejected.sort { $0.index < $1.index }
        return response
    }

    private func send(
        _ part: [(index: Int, item: Catalog.LiveItem)], to shard: Int, _ deadline: Deadline,
        _ response: inout UpsertItemsResponse
    ) async {
        let request = PutItemsRequest(
            shard: UInt32(shard), shardCount: UInt32(replicas.count), items: part.map { Messages.LiveItem($0.item) })
        let results = await FanOut.call(
            replicas[shard].map { ($0.client, request) }, RecallMethods.putItems,
            options: CallOptions(deadline: deadline))
        var failures: [String] = []
        for (replica, result) in zip(replicas[shard], results) {
            if case .failure(let error) = result {
                failures.append("recall shard \(shard) (\(replica.address)): \(error.code.name): \(error.message)")
            }
        }
        if failures.count < results.count {
            response.accepted += UInt32(part.count)
            response.reasons += failures
        } else {
            let reason = failures.first ?? "recall shard \(shard) has no replica"
            response.rejected += part.map { RejectedItem(index: UInt32($0.index), reason: reason) }
        }
    }
}

extension Catalog.LiveItem {
    /// - Throws: INVALID_ARGUMENT that names the field, what was expected and what was found.
    fileprivate init(_ item: Item, now: Int64) throws(RPCError) {
        let time = try RequestLimits.amount(item.publishTimeMilliseconds, "publish_time_ms")
        try self.init(
            Messages.LiveItem(
                itemID: item.itemID, title: item.title, category: item.category,
                authorKey: try RequestLimits.key(item.authorID, "author_id"),
                cityKey: try RequestLimits.key(item.city, "city"), publishTimeMilliseconds: time == 0 ? now : time,
                durationSeconds: item.durationSeconds, place: item.place, quality: item.quality,
                price: item.price))
    }
}

extension RequestLimits {
    /// The key of a name that may be left out; 0 without one.
    fileprivate static func key(_ name: String, _ field: String) throws(RPCError) -> UInt64 {
        name.isEmpty ? 0 : PublicID.key(of: try text(name, field))
    }
}
