public import Catalog
import Foundation

/// How much of what a user went on to like is in a ranked list.
///
/// `ranked` is best first and without repeats. A user without relevant items has no figure.
public enum RetrievalMetrics {
    /// Share of the relevant items among the first `k`.
    public static func recall(ranked: some Collection<ItemKey>, relevant: Set<ItemKey>, at k: Int) -> Double? {
        guard !relevant.isEmpty else { return nil }
        return Double(ranked.prefix(k).count { relevant.contains($0) }) / Double(relevant.count)
    }

    /// 1 if any of the first `k` is relevant, else 0.
    public static func hitRate(ranked: some Collection<ItemKey>, relevant: Set<ItemKey>, at k: Int) -> Double? {
        guard !relevant.isEmpty else { return nil }
        return ranked.prefix(k).contains { relevant.contains($0) } ? 1 : 0
    }

    /// Normalised discounted cumulative gain with gain 1 per relevant item and discount `1 / log2(position + 1)`
    /// (Järvelin and Kekäläinen 2002).
    public static func normalizedGain(
        ranked: some Collection<ItemKey>, relevant: Set<ItemKey>, at k: Int
    ) -> Double? {
        guard !relevant.isEmpty else { return nil }
        var gain = 0.0
        for (position, item) in ranked.prefix(k).enumerated() where relevant.contains(item) {
            gain += discount(position)
        }
        let ideal = (0..<min(k, relevant.count)).reduce(0.0) { $0 + discount($1) }
        return ideal > 0 ? gain / ideal : nil
    }

    /// - Parameter position: From 0.
    private static func discount(_ position: Int) -> Double {
        1 / log2(Double(position + 2))
    }
}
