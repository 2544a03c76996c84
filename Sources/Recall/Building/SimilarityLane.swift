import Kernels

/// What one thread needs to find the similar items of one item after another.
///
/// Row i of the item-to-item matrix is the sum, over the users who like i, of their rows scaled by their like of i
/// (Gustavson's sparse product), gathered in a dense lane and emptied through the list of touched items.
struct SimilarityLane {
    private let interests: InterestMatrix
    private let norms: [UInt64]
    /// sum of like(v, i) like(v, j) by item j; 0 between calls. At most 16 a user: 2^28 users fit.
    private var overlaps: [UInt32]
    private var touched: [UInt32] = []
    private var top: TopK

    init(interests: InterestMatrix, norms: [UInt64], neighbours: Int) {
        self.interests = interests
        self.norms = norms
        overlaps = [UInt32](repeating: 0, count: norms.count)
        top = TopK(neighbours)
    }

    /// - Complexity: O(sum over users v who like the item of items v likes).
    mutating func neighbours(of item: Int) -> [NeighbourLists.Neighbour] {
        gather(item)
        overlaps[item] = 0
        let norm = Double(norms[item])
        for row in touched where overlaps[Int(row)] > 0 {
            let other = Int(row)
            let similarity = Float(Double(overlaps[other]) / (norm * Double(norms[other])).squareRoot())
            top.offer(score: similarity, id: UInt64(row))
            overlaps[other] = 0
        }
        touched.removeAll(keepingCapacity: true)
        return top.take().map { .init(row: Int($0.id), similarity: $0.score) }
    }

    private mutating func gather(_ item: Int) {
        let (byUser, byItem) = (interests.byUser, interests.byItem)
        overlaps.withUnsafeMutableBufferPointer { overlaps in
            for entry in byItem.range(item) {
                let scale = UInt32(byItem.values[entry])
                for other in byUser.range(Int(byItem.columns[entry])) {
                    let column = byUser.columns[other]
                    if overlaps[Int(column)] == 0 { touched.append(column) }
                    overlaps[Int(column)] += scale * UInt32(byUser.values[other])
                }
            }
        }
    }
}
