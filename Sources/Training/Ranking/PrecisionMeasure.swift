import Evaluation
import Features
import Models

/// How well a net with some layers in bytes tells outcomes apart.
struct PrecisionMeasure {
    let heads: [RankerHead]
    let examples: RankingExamples

    /// Rows of each class that an area must be of to tell anything.
    private static let leastRows = 50
    private static let together = 2_048

    /// Of each head with two classes and enough rows of both.
    func areas(_ net: RankerNet) -> [Double] {
        let scratch = RankerNet.Scratch(net, rowsMax: Self.together)
        var values = [Float](repeating: 0, count: Self.together * heads.count)
        var predictions = RankerPredictions(heads: heads.count)
        for batch in (0..<examples.count).pieces(of: Self.together) {
            values.withUnsafeMutableBufferPointer { net.run(examples.inputs(of: batch), in: scratch, into: $0) }
            for head in heads.indices {
                predictions.heads[head] += (0..<batch.count).map { values[$0 * heads.count + head] }
            }
        }
        predictions.add(examples, heads)
        return heads.enumerated().compactMap { place, head in
            guard head.isPositive(0) != nil else { return nil }
            let rows = predictions.told(head, of: heads)
            let labels = rows.map { head.isPositive(predictions.labels[place][$0]) ?? false }
            let positives = labels.count { $0 }
            guard positives >= Self.leastRows, labels.count - positives >= Self.leastRows else { return nil }
            return BinaryMetrics.areaUnderCurve(scores: rows.map { predictions.heads[place][$0] }, labels: labels)
        }
    }
}
