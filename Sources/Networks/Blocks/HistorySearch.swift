import Kernels

/// Finds the behaviours of a long history that have to do with a candidate (SIM, Pi et al., CIKM 2020), before attention looks
/// at them.
public enum HistorySearch {
    /// Hard search: the newest behaviours of the candidate's category.
    ///
    /// - Parameters:
    ///   - category: The candidate's; `unknown` finds nothing.
    ///   - history: Categories, newest first.
    ///   - unknown: The value that stands for no category.
    ///   - found: Gets the positions, newest first, appended.
    /// - Complexity: O(history.count), ends at the limit.
    public static func hard(
        category: UInt32, in history: ArraySlice<UInt32>, unknown: UInt32? = 0, limit: Int,
        appendingTo found: inout [Int]
    ) {
        guard category != unknown else { return }
        var left = limit
        for (position, own) in history.enumerated() where own == category {
            guard left > 0 else { return }
            found.append(position)
            left -= 1
        }
    }

    /// Soft search: the behaviours whose embeddings have the largest inner product with the candidate's.
    ///
    /// - Parameters:
    ///   - candidate: Row of the table; history: rows of the table, newest first.
    ///   - scores: Scratch.
    ///   - found: Gets the positions in the history, newest first, appended. The newer of two alike goes before.
    /// - Complexity: O(history.count width + history.count log limit); no allocation once the arrays have had room.
    public static func soft(
        candidate: UInt32, in history: ArraySlice<UInt32>, of table: EmbeddingTable, limit: Int,
        scores: inout [Float], appendingTo found: inout [Int]
    ) {
        guard history.count > limit, limit > 0 else {
            if limit > 0 { found.append(contentsOf: 0..<history.count) }
            return
        }
        let width = table.width
        let query = table.values + table.checked(candidate) * width
        scores.removeAll(keepingCapacity: true)
        for row in history {
            scores.append(kernels.dot(query, table.values + table.checked(row) * width, count: width))
        }
        // The least score that is kept; of those that have it, the newest fill what the greater ones leave.
        let least = leastOfBest(limit, of: &scores)
        var ties = limit
        for score in scores where score > least { ties -= 1 }
        for (position, score) in scores.enumerated() where score >= least {
            if score == least {
                guard ties > 0 else { continue }
                ties -= 1
            }
            found.append(position)
        }
    }

    /// The least of the `limit` greatest, which go through a heap behind the scores.
    ///
    /// - Complexity: O(scores.count log limit), no allocation once `scores` has had room for both.
    private static func leastOfBest(_ limit: Int, of scores: inout [Float]) -> Float {
        let count = scores.count
        for place in 0..<limit {
            scores.append(scores[place])
            var child = place
            while child > 0, scores[count + (child - 1) / 2] > scores[count + child] {
                scores.swapAt(count + (child - 1) / 2, count + child)
                child = (child - 1) / 2
            }
        }
        for place in limit..<count where scores[place] > scores[count] {
            scores[count] = scores[place]
            var parent = 0
            while 2 * parent + 1 < limit {
                var child = 2 * parent + 1
                if child + 1 < limit, scores[count + child + 1] < scores[count + child] { child += 1 }
                guard scores[count + child] < scores[count + parent] else { break }
                scores.swapAt(count + parent, count + child)
                parent = child
            }
        }
        defer { scores.removeLast(limit) }
        return scores[count]
    }
}

/// Age of a behaviour in buckets that double: 0 for less than a minute, then 1, 2, 4 ... minutes, up to two years.
public enum AgeBuckets {
    /// Buckets there are; 2^20 minutes are two years.
    public static let count = 22

    /// - Parameter seconds: negative ages count as none.
    public static func bucket(seconds: Double) -> UInt32 {
        guard seconds >= 60 else { return 0 }
        let minutes = UInt64(min(seconds / 60, 1e12))
        return UInt32(min(count - 1, 64 - minutes.leadingZeroBitCount))
    }
}
