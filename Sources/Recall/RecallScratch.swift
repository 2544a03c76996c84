public import Catalog
import Kernels
package import VectorIndex

/// What the channels of one request write to. Kept by the engine and reused, so that recalling allocates nothing per
/// candidate.
// Sendable: the engine hands it to one request at a time.
public final class RecallScratch: @unchecked Sendable {
    /// ``RecallQuery/excludedItems``, filled by the engine before the channels run.
    package var excluded = KeySet()
    /// Impressions reported since the process started, of new items.
    var impressions = LiveItems.Impressions()
    /// The live items that the snapshot lacks.
    var live = LiveView.empty
    let search = SearchScratch()
    /// Keys of the triggers, for the channels that use them.
    var triggers = KeySet()
    /// Scores by row of a channel's own item table; all zero between channels.
    var sums = SparseSums()

    public init() {}

    /// Whether the request does not want the item.
    public func excludes(_ item: ItemKey) -> Bool {
        excluded.contains(item.rawValue)
    }

    func exclude(_ items: SharedBuffer<ItemKey>) {
        excluded.removeAll(reserving: items.count)
        for item in items { excluded.insert(item.rawValue) }
    }
}

extension Candidates {
    init(_ best: [Scored]) {
        self.init(
            items: SharedBuffer(best.lazy.map { ItemKey(rawValue: $0.id) }),
            scores: SharedBuffer(best.lazy.map(\.score)))
    }
}
