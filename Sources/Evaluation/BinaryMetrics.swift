import Foundation

/// How well scores or probabilities tell positives from negatives.
///
/// All inputs are parallel arrays. A figure that does not exist for its input (no rows, one class only) is nil, never 0.
public enum BinaryMetrics {
    /// Area under the ROC curve: the chance that a random positive scores above a random negative, a tie counting half.
    ///
    /// Exact, by the rank-sum identity (Mann and Whitney 1947) with average ranks for ties.
    ///
    /// - Returns: 0...1, or nil unless both classes occur.
    /// - Complexity: O(n log n).
    public static func areaUnderCurve(scores: [Float], labels: [Bool]) -> Double? {
        precondition(scores.count == labels.count, "one label per score")
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        return areaUnderCurve(order: order[...], scores: scores, labels: labels)
    }

    /// Area under the ROC curve inside each group, averaged by group size (Zhu et al., KDD 2017).
    ///
    /// Groups with one class only say nothing about order and are left out.
    ///
    /// - Parameter groups: `[n]`, usually the user of each row.
    /// - Complexity: O(n log n).
    public static func groupedAreaUnderCurve(scores: [Float], labels: [Bool], groups: [UInt32]) -> Double? {
        precondition(scores.count == labels.count && groups.count == labels.count, "one label and group per score")
        let order = scores.indices.sorted { (groups[$0], scores[$0]) < (groups[$1], scores[$1]) }
        var total = 0.0
        var weight = 0.0
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, groups[order[end]] == groups[order[start]] { end += 1 }
            if let area = areaUnderCurve(order: order[start..<end], scores: scores, labels: labels) {
                total += area * Double(end - start)
                weight += Double(end - start)
            }
            start = end
        }
        return weight > 0 ? total / weight : nil
    }

    /// Mean negative log-likelihood of the labels, in nats; probabilities are kept `1e-7` away from 0 and 1.
    public static func logLoss(probabilities: [Float], labels: [Bool]) -> Double? {
        precondition(probabilities.count == labels.count, "one label per probability")
        guard !labels.isEmpty else { return nil }
        var sum = 0.0
        for (probability, label) in zip(probabilities, labels) {
            let p = min(max(Double(probability), 1e-7), 1 - 1e-7)
            sum -= label ? log(p) : log(1 - p)
        }
        return sum / Double(labels.count)
    }

    /// Mean distance of predicted from observed rate over `bins` equally wide probability bins, weighted by rows
    /// (Naeini, Cooper and Hauskrecht 2015).
    public static func expectedCalibrationError(probabilities: [Float], labels: [Bool], bins: Int = 10) -> Double? {
        precondition(probabilities.count == labels.count && bins > 0, "one label per probability, some bins")
        guard !labels.isEmpty else { return nil }
        var excess = [Double](repeating: 0, count: bins)
        for (probability, label) in zip(probabilities, labels) {
            let bin = bin(of: probability, among: bins)
            excess[bin] += Double(probability) - (label ? 1 : 0)
        }
        return excess.reduce(0) { $0 + abs($1) } / Double(labels.count)
    }

    /// What ``expectedCalibrationError(probabilities:labels:bins:)`` comes to, on average, when the probabilities are exactly
    /// right: what chance leaves in a bin is about normal with variance sum p (1 - p).
    ///
    /// A measured error near it says that no more can be told of the calibration by so few rows.
    public static func calibrationErrorOfChance(probabilities: [Float], bins: Int = 10) -> Double? {
        guard !probabilities.isEmpty else { return nil }
        var variance = [Double](repeating: 0, count: bins)
        for probability in probabilities {
            let bin = bin(of: probability, among: bins)
            variance[bin] += Double(probability) * (1 - Double(probability))
        }
        return variance.reduce(0) { $0 + (2 / Double.pi * $1).squareRoot() } / Double(probabilities.count)
    }

    private static func bin(of probability: Float, among bins: Int) -> Int {
        min(max(Int(probability * Float(bins)), 0), bins - 1)
    }

    /// Sum of probabilities over number of positives: 1 for a calibrated model.
    public static func calibrationRatio(probabilities: [Float], labels: [Bool]) -> Double? {
        let positives = labels.count { $0 }
        guard positives > 0 else { return nil }
        return probabilities.reduce(0.0) { $0 + Double($1) } / Double(positives)
    }

    /// - Parameter order: Rows by ascending score.
    private static func areaUnderCurve(order: ArraySlice<Int>, scores: [Float], labels: [Bool]) -> Double? {
        var positives = 0
        var rankSum = 0.0
        var start = order.startIndex
        while start < order.endIndex {
            var end = start
            var tied = 0
            while end < order.endIndex, scores[order[end]] == scores[order[start]] {
                tied += labels[order[end]] ? 1 : 0
                end += 1
            }
            // Ranks are 1-based inside the slice; all of a tie share their mean.
            rankSum += Double(tied) * Double(start + end + 1 - 2 * order.startIndex) / 2
            positives += tied
            start = end
        }
        let negatives = order.count - positives
        guard positives > 0, negatives > 0 else { return nil }
        let least = Double(positives) * Double(positives + 1) / 2
        return (rankSum - least) / (Double(positives) * Double(negatives))
    }
}
