public import Blobs
import Catalog
import Kernels

extension ChannelLoader {
    public static let newItem = ChannelLoader(name: ChannelName.newItem, component: "new-item") {
        try NewItemChannel(component: $0)
    }
}

/// New items that have not had their guaranteed impressions, the least shown first: `new-item`.
///
/// score(i) = minus the impressions of the log and those reported since; an item leaves when it has had
/// ``RankedList/impressionsMin``. Live items have had none before they came.
public struct NewItemChannel: LiveRecallChannel {
    private let list: RankedListChannel

    public init(component file: SafetensorsFile) throws(BlobError) {
        list = try RankedListChannel(component: file)
    }

    /// The items that may still be new.
    var items: SharedBuffer<ItemKey> { list.list.items }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        var best = TopK(min(limit, list.list.count))
        for row in list.list.items.indices {
            let item = list.list.items[row]
            let score = list.list.scores[row] - Float(scratch.impressions[item] ?? 0)
            // Impressions only lower a score.
            if list.list.scores[row] < best.threshold { break }
            guard score > -Float(RankedList.impressionsMin), !scratch.excludes(item) else { continue }
            best.offer(score: score, id: item.rawValue)
        }
        return Candidates(best.take())
    }

    func liveCandidates(
        _ live: LiveView, for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) -> Candidates {
        live.best(limit, scratch) { place in
            let shown = Float(scratch.impressions[live.items[place].key] ?? 0)
            return shown < Float(RankedList.impressionsMin) ? -shown : nil
        }
    }
}
