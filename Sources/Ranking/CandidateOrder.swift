import Catalog
import Kernels

/// Puts candidates in order: score descending, ties by ascending key. Keeps its memory.
struct CandidateOrder {
    private var ranked: [Ranked] = []
    private var sorter = RankedSorter()
    /// Places of the candidates, best first.
    private(set) var places: [UInt32] = []

    /// - Parameters:
    ///   - scores: `[n]`, no NaN.
    ///   - keys: `[n]`.
    /// - Complexity: O(n), and O(n log n) for ties.
    mutating func sort(_ scores: UnsafeBufferPointer<Float>, keys: [ItemKey]) {
        precondition(scores.count == keys.count, "a score per candidate")
        ranked.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        for place in scores.indices {
            ranked.append(Ranked(score: scores[place] == 0 ? 0 : scores[place], position: UInt32(place)))
        }
        sorter.sort(&ranked)
        for entry in ranked { places.append(entry.position) }
        sortTies(scores, keys)
    }

    /// Of candidates with one score the lower key is first.
    private mutating func sortTies(_ scores: UnsafeBufferPointer<Float>, _ keys: [ItemKey]) {
        var start = 0
        while start < places.count {
            var end = start + 1
            while end < places.count, scores[Int(places[end])] == scores[Int(places[start])] { end += 1 }
            if end - start > 1 { sortByKey(start..<end, keys) }
            start = end
        }
    }

    /// Heapsort: the library's sort would ask for memory.
    private mutating func sortByKey(_ range: Range<Int>, _ keys: [ItemKey]) {
        for root in stride(from: range.count / 2 - 1, through: 0, by: -1) { siftDown(root, range, keys) }
        for end in stride(from: range.upperBound - 1, to: range.lowerBound, by: -1) {
            places.swapAt(range.lowerBound, end)
            siftDown(0, range.lowerBound..<end, keys)
        }
    }

    /// Puts a node below its greater children.
    private mutating func siftDown(_ root: Int, _ range: Range<Int>, _ keys: [ItemKey]) {
        func key(_ node: Int) -> ItemKey { keys[Int(places[range.lowerBound + node])] }
        var node = root
        while 2 * node + 1 < range.count {
            var child = 2 * node + 1
            if child + 1 < range.count, key(child) < key(child + 1) { child += 1 }
            guard key(node) < key(child) else { return }
            places.swapAt(range.lowerBound + node, range.lowerBound + child)
            node = child
        }
    }
}
