import Catalog
import Kernels
import Recall

/// The channels' candidates as one list without repeats, in recall order.
///
/// Recall order is reciprocal rank fusion: `score(i) = sum over channels that found i of 1 / (60 + position)`, position
/// from 1 (Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion", SIGIR 2009). Channels' own scores cannot be compared.
/// Ties by ascending key.
struct CandidateUnion: Sendable {
    static let fusionConstant: Float = 60

    /// In recall order.
    private(set) var items: [ItemKey] = []
    /// Fused scores, parallel to `items`.
    private(set) var scores: [Float] = []

    /// - Parameters:
    ///   - channels: one merged result per channel, best first.
    ///   - excluded: items that stay out, ascending.
    ///   - limit: candidates kept.
    /// - Complexity: O(n log n) for n candidates in all.
    init(_ channels: [Recall.ChannelResult], excluding excluded: [ItemKey], limit: Int) {
        let total = channels.reduce(0) { $0 + $1.candidates.count }
        var rows = KeyIndex(capacity: total)
        var found: [(item: ItemKey, score: Float)] = []
        found.reserveCapacity(total)
        for channel in channels {
            for (place, item) in channel.candidates.items.enumerated() {
                let score = 1 / (Self.fusionConstant + Float(place + 1))
                if let row = rows.insert(item.rawValue, row: UInt32(found.count)) {
                    found[Int(row)].score += score
                } else {
                    found.append((item, score))
                }
            }
        }
        found.removeAll { excluded.ascendingIndex(of: $0.item) != nil }
        found.sort { $0.score > $1.score || ($0.score == $1.score && $0.item < $1.item) }
        items = found.prefix(limit).map(\.item)
        scores = found.prefix(limit).map(\.score)
    }

    var count: Int { items.count }
}
