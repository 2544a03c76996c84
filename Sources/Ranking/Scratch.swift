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
    let head: PreRankHead.Scratch
    var cross = CrossEncoder()
    /// Catalogue rows of the known candidates, in the order of the request.
    private(set) var rows: [UInt32] = []
    /// Their places in the request.
    private var places: [UInt32] = []
    /// Candidates that the snapshot does not have, after `rows`.
    private(set) var live: [LiveItemTowers.Entry] = []
    /// Of the candidates, in the order of `places`.
    private var outcomes: [Outcome] = []
    private var scores: [Float] = []
    private var order: [Standing] = []

    /// What was found of one candidate.
    struct Outcome {
        var click: Float
        var watch: Float
        var score: Float
    }

    /// A candidate in the order of the answer.
    private struct Standing {
        var score: Float
        var key: ItemKey
        /// Its place among the outcomes.
        var index: UInt32

        static func precedes(_ left: Standing, _ right: Standing) -> Bool {
            left.score > right.score || (left.score == right.score && left.key < right.key)
        }
    }

    init(_ head: PreRankHead) {
        self.head = PreRankHead.Scratch(head)
    }

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
        outcomes.removeAll(keepingCapacity: true)
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

    /// Adds the outcomes of a tile.
    func append(_ count: Int, _ outcome: (Int) -> Outcome) {
        withoutActuallyEscaping(outcome) { outcomes.append(contentsOf: (0..<count).lazy.map($0)) }
        scores.append(contentsOf: outcomes.suffix(count).lazy.map(\.score))
    }

    /// The best `limit` (all when 0): score descending, ties by ascending key.
    ///
    /// - Complexity: O(n) for the cut, O(limit log limit) for the order.
    func best(_ limit: Int, of items: SharedBuffer<ItemKey>) -> RankedItems {
        let bar = limit > 0 && limit < scores.count ? bar(limit) : nil
        order.removeAll(keepingCapacity: true)
        for (index, outcome) in outcomes.enumerated() where bar.map({ outcome.score >= $0 }) ?? true {
            let key = items[Int(places[index])]
            order.append(Standing(score: outcome.score, key: key, index: UInt32(index)))
        }
        order.sort(by: Standing.precedes)
        let chosen = order.prefix(limit > 0 ? limit : order.count)
        var result = RankedItems()
        result.items = chosen.map(\.key)
        result.scores = chosen.map(\.score)
        result.clickProbabilities = chosen.map { outcomes[Int($0.index)].click }
        result.watchSeconds = chosen.map { outcomes[Int($0.index)].watch }
        return result
    }

    /// The score of the last of the best `limit`; more candidates may have it.
    private func bar(_ limit: Int) -> Float? {
        scores.withUnsafeBufferPointer { TopK.select(limit, of: $0).last?.score }
    }
}

func exponential(_ value: Float) -> Float {
    exp(value)
}
