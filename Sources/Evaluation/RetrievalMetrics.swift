import Foundation

/// How much of what a user went on to like is in a ranked list, by where it is.
///
/// `hits` are the positions of the relevant items in the list, from 0, ascending; `relevant` is how many there were to find,
/// at least 1.
public enum RetrievalMetrics {
    /// Share of the relevant items among the first `k`.
    public static func recall(hits: some Collection<Int>, relevant: Int, at k: Int) -> Double {
        Double(hits.prefix { $0 < k }.count) / Double(relevant)
    }

    /// 1 if any of the first `k` is relevant, else 0.
    public static func hitRate(hits: some Collection<Int>, at k: Int) -> Double {
        hits.first.map { $0 < k } ?? false ? 1 : 0
    }

    /// Share of the first `k` places that hold a relevant item; places that the list does not fill hold none.
    public static func precision(hits: some Collection<Int>, at k: Int) -> Double {
        Double(hits.prefix { $0 < k }.count) / Double(k)
    }

    /// Normalised discounted cumulative gain with gain 1 per relevant item and discount `1 / log2(position + 1)`
    /// (Järvelin and Kekäläinen 2002).
    public static func normalizedGain(hits: some Collection<Int>, relevant: Int, at k: Int) -> Double {
        let gain = hits.prefix { $0 < k }.reduce(0.0) { $0 + discount($1) }
        return gain / (0..<min(k, relevant)).reduce(0.0) { $0 + discount($1) }
    }

    /// Sum over the relevant items among the first `k` of the precision down to each, divided by `relevant`; its mean over
    /// users is MAP.
    public static func averagePrecision(hits: some Collection<Int>, relevant: Int, at k: Int) -> Double {
        var sum = 0.0
        for (found, position) in hits.prefix(while: { $0 < k }).enumerated() {
            sum += Double(found + 1) / Double(position + 1)
        }
        return sum / Double(relevant)
    }

    /// - Parameter position: From 0.
    private static func discount(_ position: Int) -> Double {
        1 / log2(Double(position + 2))
    }
}
