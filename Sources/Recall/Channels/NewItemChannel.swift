public import Blobs
import Catalog
import Kernels
import Synchronization

extension ChannelLoader {
    public static let newItem = ChannelLoader(name: ChannelName.newItem, component: "new-item") {
        try NewItemChannel(component: $0)
    }
}

/// New items that have not had their guaranteed impressions, live ones among them, the least shown first: `new-item`.
///
/// score(i) = minus the impressions of the log and those reported since; an item leaves when it has had
/// ``RankedList/impressionsMin``. Live items have had none before they came. The order changes when impressions are
/// reported, once in a while, and is kept until then.
public final class NewItemChannel: RecallChannel {
    private struct Order {
        var countsRevision = -1
        var liveRevision = -1
        var list = Candidates()
    }

    private let list: RankedListChannel
    private let order = Mutex(Order())

    public init(component file: SafetensorsFile) throws(BlobError) {
        list = try RankedListChannel(component: file)
    }

    /// The snapshot's items that may still be new.
    var items: SharedBuffer<ItemKey> { list.list.items }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        let list = order.withLock { order in
            if order.countsRevision != scratch.impressions.revision || order.liveRevision != scratch.live.revision {
                order = Order(
                    countsRevision: scratch.impressions.revision, liveRevision: scratch.live.revision,
                    list: ordered(scratch.impressions, scratch.live))
            }
            return order.list
        }
        return list.first(limit, scratch)
    }

    /// - Complexity: O(n log n) for all new items.
    private func ordered(_ impressions: LiveItems.Impressions, _ live: LiveView) -> Candidates {
        var found: [Scored] = []
        func add(_ item: UInt64, _ score: Float) {
            let score = score - Float(impressions.counts[ItemKey(rawValue: item)] ?? 0)
            if score > -Float(RankedList.impressionsMin) { found.append(Scored(score: score, id: item)) }
        }
        for (item, score) in zip(list.list.items, list.list.scores) { add(item.rawValue, score) }
        for item in live.keys { add(item, 0) }
        return Candidates(found.sorted(by: Scored.precedes))
    }
}

extension Candidates {
    /// The first `limit` that are not excluded.
    func first(_ limit: Int, _ scratch: RecallScratch) -> Candidates {
        var found: [ItemKey] = []
        var scores: [Float] = []
        let capacity = min(limit, count)
        found.reserveCapacity(capacity)
        scores.reserveCapacity(capacity)
        for row in items.indices where !scratch.excludes(items[row]) {
            guard found.count < capacity else { break }
            found.append(items[row])
            scores.append(self.scores[row])
        }
        return Candidates(items: SharedBuffer(found), scores: SharedBuffer(scores))
    }
}
