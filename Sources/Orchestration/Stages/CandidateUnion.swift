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
    /// Names of the channels, the bits of `found`.
    private(set) var channels: [String] = []
    /// By item, bit c is set when channel c found it.
    private(set) var found: [UInt64] = []

    /// - Parameters:
    ///   - channels: one merged result per channel, best first; at most 64.
    ///   - excluded: items that stay out, ascending.
    ///   - limit: candidates kept.
    /// - Complexity: O(n log n) for n candidates in all.
    init(_ channels: [Recall.ChannelResult], excluding excluded: [ItemKey], limit: Int) {
        precondition(channels.count <= UInt64.bitWidth, "a bit per channel")
        let total = channels.reduce(0) { $0 + $1.candidates.count }
        var rows = KeyIndex(capacity: total)
        var united: [Entry] = []
        united.reserveCapacity(total)
        for (bit, channel) in channels.enumerated() {
            for (place, item) in channel.candidates.items.enumerated() {
                let score = 1 / (Self.fusionConstant + Float(place + 1))
                if let row = rows.insert(item.rawValue, row: UInt32(united.count)) {
                    united[Int(row)].score += score
                    united[Int(row)].found |= 1 << UInt64(bit)
                } else {
                    united.append(Entry(item: item, score: score, found: 1 << UInt64(bit)))
                }
            }
        }
        united.removeAll { excluded.ascendingIndex(of: $0.item) != nil }
        united.sort { $0.score > $1.score || ($0.score == $1.score && $0.item < $1.item) }
        self.channels = channels.map(\.channel)
        items = united.prefix(limit).map(\.item)
        scores = united.prefix(limit).map(\.score)
        found = united.prefix(limit).map(\.found)
    }

    private struct Entry {
        var item: ItemKey
        var score: Float
        var found: UInt64
    }

    var count: Int { items.count }
}
