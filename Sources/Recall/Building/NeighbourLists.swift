import Kernels
import Synchronization

/// The most similar rows of every row (items, or users), best first, ties by ascending row: up to `length` each.
package struct NeighbourLists: Sendable {
    package let length: Int
    /// Filled entries of each list.
    private var counts: [UInt32]
    /// `[count, length]`.
    private var rows: [UInt32]
    /// `[count, length]`, parallel to `rows`.
    private var scores: [Float]

    package struct Neighbour: Hashable, Sendable {
        package var row: Int
        package var similarity: Float
    }

    init(rows count: Int, length: Int) {
        self.length = length
        counts = [UInt32](repeating: 0, count: count)
        rows = [UInt32](repeating: 0, count: count * length)
        scores = [Float](repeating: 0, count: count * length)
    }

    /// Lists, empty ones too.
    package var count: Int { counts.count }

    package func count(_ row: Int) -> Int { Int(counts[row]) }

    package subscript(row: Int) -> [Neighbour] {
        (row * length..<row * length + count(row)).map { Neighbour(row: Int(rows[$0]), similarity: scores[$0]) }
    }

    mutating func set(_ row: Int, _ list: [Neighbour]) {
        precondition(list.count <= length, "a list is not longer than the table is wide")
        counts[row] = UInt32(list.count)
        for (place, neighbour) in list.enumerated() {
            rows[row * length + place] = UInt32(neighbour.row)
            scores[row * length + place] = neighbour.similarity
        }
    }
}

extension NeighbourLists {
    /// Rows that a thread takes at a time.
    private static let chunk = 64

    /// Finds the list of every row, on several threads.
    ///
    /// - Parameters:
    ///   - progress: called now and then, from any thread, with the share of rows done, 0...1.
    ///   - lane: makes what one thread works with.
    ///   - neighbours: the list of one row, best first; must not depend on the lane's earlier rows.
    init<Lane>(
        rows count: Int, length: Int, threads: Threads, progress: (@Sendable (Double) -> Void)?, lane: () -> Lane,
        neighbours: (inout Lane, Int) -> [Neighbour]
    ) {
        let lists = Mutex(NeighbourLists(rows: count, length: length))
        let done = Atomic<Int>(0)
        threads.forEach(0..<(count + Self.chunk - 1) / Self.chunk, state: lane) { lane, index in
            let range = index * Self.chunk..<min((index + 1) * Self.chunk, count)
            let found = range.map { neighbours(&lane, $0) }
            lists.withLock { lists in
                for (row, list) in zip(range, found) { lists.set(row, list) }
            }
            let finished = done.add(range.count, ordering: .relaxed).newValue
            progress?(Double(finished) / Double(count))
        }
        self = lists.withLock { $0 }
    }
}
