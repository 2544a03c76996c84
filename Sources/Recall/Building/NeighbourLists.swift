/// The most similar items of every item, best first, ties by ascending row: up to `length` each.
package struct NeighbourLists: Sendable {
    package let length: Int
    /// Filled entries of each item's list.
    private var counts: [UInt32]
    /// `[items, length]`: item rows.
    private var rows: [UInt32]
    /// `[items, length]`, parallel to `rows`.
    private var scores: [Float]

    package struct Neighbour: Hashable, Sendable {
        package var row: Int
        package var similarity: Float
    }

    init(items: Int, length: Int) {
        self.length = length
        counts = [UInt32](repeating: 0, count: items)
        rows = [UInt32](repeating: 0, count: items * length)
        scores = [Float](repeating: 0, count: items * length)
    }

    package var items: Int { counts.count }

    package func count(_ item: Int) -> Int { Int(counts[item]) }

    package subscript(item: Int) -> [Neighbour] {
        (item * length..<item * length + count(item)).map { Neighbour(row: Int(rows[$0]), similarity: scores[$0]) }
    }

    mutating func set(_ item: Int, _ list: [Neighbour]) {
        precondition(list.count <= length, "a list is not longer than the table is wide")
        counts[item] = UInt32(list.count)
        for (place, neighbour) in list.enumerated() {
            rows[item * length + place] = UInt32(neighbour.row)
            scores[item * length + place] = neighbour.similarity
        }
    }
}
