import Kernels

/// Of every item, the paths on which its users would look for it, with scores: score(item, path) = the sum over users who
/// clicked the item of p(path | user), as far as their beam searches went.
///
/// A stream in bounded memory, 8 bytes a slot: of every item the `slots` best paths are remembered. When they are all in use, a new
/// path takes the place of the one with the lowest score and goes on from that score (Gao et al. 2020, section 2.4; the
/// space-saving counters of Metwally et al. 2005): a score is then too high by at most the lowest of its item, never too low.
package struct PathScores: Sendable {
    package let slots: Int
    /// `[items, slots]`; meaningful where the score is above 0.
    private var paths: [UInt32]
    private var scores: [Float]
    private var counts: [UInt16]

    package init(items: Int, slots: Int) {
        precondition((1...Int(UInt16.max)).contains(slots), "an item has between 1 and 65,535 slots")
        self.slots = slots
        paths = Array(repeating: 0, count: items * slots)
        scores = Array(repeating: 0, count: items * slots)
        counts = Array(repeating: 0, count: items)
    }

    /// Adds the beam of one user who clicked the item.
    ///
    /// - Parameters:
    ///   - paths: different ones, most probable first; log p of each in `logProbabilities`.
    /// - Complexity: O(paths slots).
    package mutating func add(
        item: Int, paths beam: ArraySlice<UInt32>, logProbabilities: ArraySlice<Float>
    ) {
        for (path, logProbability) in zip(beam, logProbabilities) { add(item, path, exponential(logProbability)) }
    }

    private mutating func add(_ item: Int, _ path: UInt32, _ probability: Float) {
        guard probability > 0 else { return }
        let first = item * slots
        let used = Int(counts[item])
        var lowest = first
        for slot in first..<first + used {
            if paths[slot] == path {
                scores[slot] += probability
                return
            }
            if scores[slot] < scores[lowest] { lowest = slot }
        }
        if used < slots {
            paths[first + used] = path
            scores[first + used] = probability
            counts[item] += 1
        } else {
            paths[lowest] = path
            scores[lowest] += probability
        }
    }

    /// How many paths an item has scores for.
    package func count(of item: Int) -> Int { Int(counts[item]) }

    /// Calls `body` with each path of the item and its score, above 0.
    @inline(__always)
    package func forEach(of item: Int, _ body: (UInt32, Float) -> Void) {
        for slot in item * slots..<item * slots + Int(counts[item]) { body(paths[slot], scores[slot]) }
    }

    /// Multiplies all scores: what was added before counts less than what will be.
    package mutating func scale(by factor: Float) {
        precondition(factor > 0 && factor <= 1, "scores fade")
        scores.withUnsafeMutableBufferPointer { scores in
            for place in scores.indices { scores[place] *= factor }
        }
    }
}
