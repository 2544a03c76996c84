import Kernels

/// What one thread needs to find the similar items of one item after another.
///
/// Row i of the item-to-item matrix is the sum, over the users who like i, of their rows scaled by their like of i
/// (Gustavson's sparse product), gathered in a dense lane. An item that meets few others empties the lane through the list
/// of those it met; one that meets many pays for no list and looks at the whole lane.
struct SimilarityLane {
    private let interests: InterestMatrix
    private let norms: [UInt64]
    /// 1 / sqrt(norm), 0 for an item nobody likes: tells cheaply which items cannot come into the list.
    private let inverses: [Float]
    /// sum of like(v, i) like(v, j) by item j; 0 between calls. At most 16 a user: 2^27 users fit.
    private var overlaps: [Int32]
    private var touched: [UInt32] = []
    private var top: TopK

    /// Lanes are looked at in blocks whose estimates fit on the stack.
    private static let block = 512
    /// What an estimate may be wrong by, and more.
    private static let tolerance: Float = 1 - 1e-5

    init(interests: InterestMatrix, norms: [UInt64], neighbours: Int) {
        self.interests = interests
        self.norms = norms
        inverses = norms.map { $0 > 0 ? Float(1 / Double($0).squareRoot()) : 0 }
        overlaps = [Int32](repeating: 0, count: norms.count)
        top = TopK(neighbours)
    }

    /// - Complexity: O(sum over users v who like the item of items v likes).
    mutating func neighbours(of item: Int) -> [NeighbourLists.Neighbour] {
        let users = interests.byItem.range(item)
        let work = users.reduce(0) { $0 + interests.byUser.range(Int(interests.byItem.columns[$1])).count }
        // A touched item costs more to keep in a list than a place of the lane to look at.
        if work * 4 > overlaps.count { findDense(item) } else { findSparse(item) }
        return top.take().map { .init(row: Int($0.id), similarity: $0.score) }
    }

    private mutating func findSparse(_ item: Int) {
        let (byUser, byItem) = (interests.byUser, interests.byItem)
        byUser.withEntries { columns, values in
            overlaps.withUnsafeMutableBufferPointer { overlaps in
                for entry in byItem.range(item) {
                    let scale = Int32(byItem.values[entry])
                    for other in byUser.range(Int(byItem.columns[entry])) {
                        let column = columns[other]
                        if overlaps[Int(column)] == 0 { touched.append(column) }
                        overlaps[Int(column)] &+= scale &* Int32(values[other])
                    }
                }
            }
        }
        overlaps[item] = 0
        let own = inverses[item]
        for row in touched where overlaps[Int(row)] > 0 {
            let other = Int(row)
            let estimate = Float(overlaps[other]) * inverses[other] * own
            if estimate >= top.threshold * Self.tolerance { offer(other, to: item) }
            overlaps[other] = 0
        }
        touched.removeAll(keepingCapacity: true)
    }

    private mutating func findDense(_ item: Int) {
        let (byUser, byItem) = (interests.byUser, interests.byItem)
        byUser.withEntries { columns, values in
            overlaps.withUnsafeMutableBufferPointer { overlaps in
                for entry in byItem.range(item) {
                    let scale = Int32(byItem.values[entry])
                    for other in byUser.range(Int(byItem.columns[entry])) {
                        overlaps[Int(columns[other])] &+= scale &* Int32(values[other])
                    }
                }
            }
        }
        overlaps[item] = 0
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.block) { estimates in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.block) { positions in
                guard let estimates = estimates.baseAddress, let positions = positions.baseAddress else { return }
                for start in stride(from: 0, to: overlaps.count, by: Self.block) {
                    offer(start..<min(start + Self.block, overlaps.count), to: item, estimates, positions)
                }
            }
        }
        overlaps.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }

    /// Offers the rows of a block that may come into the list.
    private mutating func offer(
        _ rows: Range<Int>, to item: Int, _ estimates: UnsafeMutablePointer<Float>,
        _ positions: UnsafeMutablePointer<UInt32>
    ) {
        overlaps.withUnsafeBufferPointer { overlaps in
            inverses.withUnsafeBufferPointer { inverses in
                for place in 0..<rows.count {
                    estimates[place] = Float(overlaps[rows.lowerBound + place]) * inverses[rows.lowerBound + place]
                }
            }
        }
        var bar = bar(for: item)
        let found = kernels.collect(estimates, count: rows.count, threshold: bar, positions: positions)
        for place in 0..<found {
            let position = Int(positions[place])
            // The bar rises within the block.
            if estimates[position] < bar { continue }
            offer(rows.lowerBound + position, to: item)
            bar = self.bar(for: item)
        }
    }

    /// What an estimate without the item's own length must reach; nothing that was not met passes.
    private func bar(for item: Int) -> Float {
        max(top.threshold * Self.tolerance / inverses[item], .leastNormalMagnitude)
    }

    private mutating func offer(_ other: Int, to item: Int) {
        let similarity = Float(Double(overlaps[other]) / (Double(norms[item]) * Double(norms[other])).squareRoot())
        top.offer(score: similarity, id: UInt64(other))
    }
}
