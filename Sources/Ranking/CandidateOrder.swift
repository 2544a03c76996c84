import Catalog
import Kernels

/// Puts candidates in order: score descending, ties by ascending key. Keeps its memory.
struct CandidateOrder {
    private var ranked: [Ranked] = []
    /// Places of the candidates, best first.
    private(set) var places: [UInt32] = []

    /// - Parameters:
    ///   - scores: `[n]`, no NaN.
    ///   - keys: `[n]`.
    /// - Complexity: O(n log n).
    mutating func sort(_ scores: UnsafeBufferPointer<Float>, keys: [ItemKey]) {
        precondition(scores.count == keys.count, "a score per candidate")
        ranked.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        for place in scores.indices {
            ranked.append(Ranked(score: scores[place] == 0 ? 0 : scores[place], position: UInt32(place)))
        }
        ranked.withUnsafeMutableBufferPointer { ranked in
            if let base = ranked.baseAddress { Ranked.sort(base, count: ranked.count) }
        }
        for entry in ranked { places.append(entry.position) }
        sortTies(scores, keys)
    }

    /// Of candidates with one score the lower key is first.
    private mutating func sortTies(_ scores: UnsafeBufferPointer<Float>, _ keys: [ItemKey]) {
        var start = 0
        while start < places.count {
            var end = start + 1
            while end < places.count, scores[Int(places[end])] == scores[Int(places[start])] { end += 1 }
            if end - start > 1 { places[start..<end].sort { keys[Int($0)] < keys[Int($1)] } }
            start = end
        }
    }
}
