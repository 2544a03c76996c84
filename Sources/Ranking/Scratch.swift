import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks

/// What one request writes while it is ranked; reused by later requests.
final class Scratch {
    let workspace = Workspace()
    var user = UserInputs()
    var userVector: [Float] = []
    var cross = CrossEncoder()
    /// Catalogue rows of the known candidates, in the order of the request.
    private(set) var rows: [UInt32] = []
    /// Their places in the request.
    private var places: [UInt32] = []
    /// Candidates that the snapshot does not have, after `rows`.
    private(set) var live: [LiveItemTowers.Entry] = []
    /// The rows of one tile.
    var tile: [UInt32] = []
    private var clicks: [Float] = []
    private var watches: [Float] = []
    private var scores: [Float] = []
    private var order: [Int] = []

    /// Candidates that can be scored.
    var count: Int { rows.count + live.count }

    /// Looks up the candidates.
    ///
    /// - Parameter liveEntry: what is needed of an item that the snapshot does not have.
    func begin(
        _ items: SharedBuffer<ItemKey>, net: PreRankNet, live attributes: [LiveItem],
        liveEntry: (LiveItem) -> LiveItemTowers.Entry
    ) {
        rows.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        clicks.removeAll(keepingCapacity: true)
        watches.removeAll(keepingCapacity: true)
        scores.removeAll(keepingCapacity: true)
        for place in items.indices {
            guard let row = net.encoder.itemIndex.row(of: items[place]) else { continue }
            rows.append(UInt32(row))
            places.append(UInt32(place))
        }
        live.removeAll(keepingCapacity: true)
        guard !attributes.isEmpty else { return }
        let known = Dictionary(attributes.map { ($0.key, $0) }) { first, _ in first }
        for place in items.indices where net.encoder.itemIndex.row(of: items[place]) == nil {
            guard let item = known[items[place]] else { continue }
            live.append(liveEntry(item))
            places.append(UInt32(place))
        }
    }

    func append(click: Float, watch: Float, score: Float) {
        clicks.append(click)
        watches.append(watch)
        scores.append(score)
    }

    /// The best `limit` (all when 0): score descending, ties by ascending key.
    func best(_ limit: Int, of items: SharedBuffer<ItemKey>) -> RankedItems {
        order.removeAll(keepingCapacity: true)
        order.append(contentsOf: scores.indices)
        order.sort {
            let (left, right) = (scores[$0], scores[$1])
            return left > right || (left == right && items[Int(places[$0])] < items[Int(places[$1])])
        }
        let count = limit > 0 ? min(limit, order.count) : order.count
        var result = RankedItems()
        result.items = order[..<count].map { items[Int(places[$0])] }
        result.scores = order[..<count].map { scores[$0] }
        result.clickProbabilities = order[..<count].map { clicks[$0] }
        result.watchSeconds = order[..<count].map { watches[$0] }
        return result
    }
}

func exponential(_ value: Float) -> Float {
    exp(value)
}
