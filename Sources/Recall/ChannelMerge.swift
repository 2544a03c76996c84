import Catalog
import Kernels

/// Merges what the shards answered into what one shard with all items would have answered.
public enum ChannelMerge {
    /// The best `limit` of all shards' candidates of one channel: score descending, ties by ascending key.
    ///
    /// Exact when every shard gave its best `limit` or all it has. The error tells how many shards failed and the first
    /// reason; the duration is the slowest shard's.
    ///
    /// - Complexity: O(limit * shards).
    public static func merge(_ results: [ChannelResult], channel: String, limit: Int) -> ChannelResult {
        let failed = results.filter { !$0.error.isEmpty }
        let error = failed.first.map { "\(failed.count) of \(results.count) shards failed: \($0.error)" } ?? ""
        return ChannelResult(
            channel: channel, candidates: merge(results.map(\.candidates), limit: limit), error: error,
            duration: results.map(\.duration).max() ?? .zero)
    }

    /// The best `limit` of several lists, each best first.
    package static func merge(_ lists: [Candidates], limit: Int) -> Candidates {
        let total = min(max(limit, 0), lists.reduce(0) { $0 + $1.count })
        var items: [ItemKey] = []
        var scores: [Float] = []
        items.reserveCapacity(total)
        scores.reserveCapacity(total)
        var positions = [Int](repeating: 0, count: lists.count)
        while items.count < total {
            var best = -1
            for list in lists.indices where positions[list] < lists[list].count {
                if best < 0 || precedes(lists[list], positions[list], lists[best], positions[best]) { best = list }
            }
            items.append(lists[best].items[positions[best]])
            scores.append(lists[best].scores[positions[best]])
            positions[best] += 1
        }
        return Candidates(items: SharedBuffer(items), scores: SharedBuffer(scores))
    }

    private static func precedes(_ left: Candidates, _ i: Int, _ right: Candidates, _ j: Int) -> Bool {
        let (a, b) = (left.scores[i], right.scores[j])
        return a > b || (a == b && left.items[i] < right.items[j])
    }
}
