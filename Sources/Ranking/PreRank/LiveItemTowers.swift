import Catalog
import Features
import Models
import Synchronization

/// Item towers of items that the snapshot does not have: run on the spot, once, then kept.
final class LiveItemTowers: Sendable {
    /// What the pre-ranker needs of one such item.
    final class Entry: Sendable {
        let item: LiveItem
        let features: ItemFeatures
        /// `[item.layers.last]`.
        let vector: [Float]

        init(item: LiveItem, features: ItemFeatures, vector: [Float]) {
            self.item = item
            self.features = features
            self.vector = vector
        }
    }

    /// As many as a shard's live segment holds; beyond it all are forgotten and run again when they are asked for.
    private static let entriesMax = 10_000

    private let entries = Mutex<[ItemKey: Entry]>([:])

    /// - Parameter runs: counts the towers that were run.
    func entry(of item: LiveItem, net: PreRankNet, runs: inout Int) -> Entry {
        if let known = entries.withLock({ $0[item.key] }), known.item == item { return known }
        let features = net.vocabulary.features(of: item)
        let entry = Entry(item: item, features: features, vector: net.itemTower(features))
        runs += 1
        entries.withLock { entries in
            if entries.count >= Self.entriesMax { entries.removeAll() }
            entries[item.key] = entry
        }
        return entry
    }
}
