import Catalog
import Features
import Kernels

/// What one request writes on its way through both stages; reused by later requests.
final class RankScratch {
    let preRank: PreRankScratch
    /// `[preRank.count]`, channels that found each candidate; empty when it is not known.
    var found: [UInt64] = []
    var cut = QuotaCut()
    let fusion = FusionScratch()
    var attributes = FusionAttributes()
    private(set) var order = CandidateOrder()
    /// Of the ranked: places among the pre-ranked, those of the catalogue first.
    private(set) var ranked: [UInt32] = []
    private(set) var keys: [ItemKey] = []
    private(set) var rows: [UInt32] = []
    private(set) var live: [LiveItemTowers.Entry] = []
    private(set) var candidates: [RankingCandidate] = []
    /// `[ranked, heads]`.
    var predictions: [Float] = []

    init(_ preRank: PreRankScratch) {
        self.preRank = preRank
    }

    /// Notes by which channels the scored candidates were found.
    func take(found request: SharedBuffer<UInt64>) {
        found.removeAll(keepingCapacity: true)
        guard !request.isEmpty else { return }
        for place in preRank.places { found.append(request[Int(place)]) }
    }

    /// Gathers what came through the cut.
    func gather(heads: Int) {
        ranked.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
        live.removeAll(keepingCapacity: true)
        let known = preRank.rows.count
        for place in cut.kept where place < known {
            ranked.append(place)
            rows.append(preRank.rows[Int(place)])
        }
        for place in cut.kept where place >= known {
            ranked.append(place)
            live.append(preRank.live[Int(place) - known])
        }
        candidates.removeAll(keepingCapacity: true)
        for (row, place) in zip(rows, ranked) {
            candidates.append(RankingCandidate(row: Int(row), preRank.features[Int(place)]))
        }
        for entry in live { candidates.append(RankingCandidate(entry.features)) }
        for place in ranked { keys.append(preRank.keys[Int(place)]) }
        predictions.removeAll(keepingCapacity: true)
        predictions.append(contentsOf: repeatElement(0, count: ranked.count * heads))
    }

    func sort() {
        order.sort(fusion.scores, keys: keys)
    }
}
