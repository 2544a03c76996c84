import Foundation

extension RetrievalMetrics {
    /// Normalised discounted cumulative gain of an order within each group, averaged over the groups that have any gain: the
    /// sum over the first `k` places of `gain / log2(place + 1)`, over that of the best order (Järvelin and Kekäläinen 2002).
    ///
    /// - Parameters:
    ///   - scores: `[n]`, higher is better; ties in the order of the rows.
    ///   - gains: `[n]`, at least 0.
    ///   - groups: `[n]`: the user of each row, or the request.
    /// - Returns: nil when no group has any gain.
    /// - Complexity: O(n log n).
    public static func normalizedGain(scores: [Float], gains: [Float], groups: [UInt32], at k: Int) -> Double? {
        precondition(scores.count == gains.count && groups.count == gains.count, "a gain and a group per score")
        let order = scores.indices.sorted {
            (groups[$0], -scores[$0], $0) < (groups[$1], -scores[$1], $1)
        }
        var (sum, count) = (0.0, 0)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, groups[order[end]] == groups[order[start]] { end += 1 }
            let own = order[start..<end].map { gains[$0] }
            let best = discounted(own.sorted(by: >), at: k)
            if best > 0 {
                sum += discounted(own, at: k) / best
                count += 1
            }
            start = end
        }
        return count > 0 ? sum / Double(count) : nil
    }

    private static func discounted(_ gains: [Float], at k: Int) -> Double {
        gains.prefix(k).enumerated().reduce(0) { $0 + Double($1.element) / log2(Double($1.offset + 2)) }
    }
}
