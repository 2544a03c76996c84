import Catalog
import FeatureStore
import Kernels

extension Funnel.Outcome {
    /// Public ids of some of the candidates that ranking rejected: the pre-ranker left them out, or the ranker put them into the
    /// lower half of what it ranked. What is kept for the user's next page is not among them; neither is, when time was
    /// short, what may not have been scored.
    ///
    /// - Parameters:
    ///   - count: drawn, at most.
    ///   - seed: decides which.
    func rejected(_ count: Int, seed: UInt64) -> [String] {
        guard let ranked else { return [] }
        let known = Set(ranked.items)
        let leftOut = ranked.shortage.isEmpty ? candidates.items.filter { !known.contains($0) } : []
        let kept = Set(kept.map(\.item))
        let low = spare.filter { entry in
            entry.rank.map { $0 >= ranked.items.count / 2 } ?? false && !kept.contains(entry.item)
        }
        var items = leftOut + low.map(\.item)
        var generator = SeededGenerator(seed: seed)
        var drawn: [String] = []
        while drawn.count < count, !items.isEmpty {
            items.swapAt(Int.random(in: items.indices, using: &generator), items.count - 1)
            if let id = publicID(of: items.removeLast()) { drawn.append(id) }
        }
        return drawn
    }

    private func publicID(of item: ItemKey) -> String? {
        snapshot.row(of: item).map { snapshot.items.publicIDs[$0] } ?? live[item]?.publicID
    }
}
