import Evaluation
import Features
import Foundation
import Models

/// What a model predicts of showings, and what became of them. The arrays are parallel.
struct RankerPredictions {
    /// For each head, `[n]`.
    var heads: [[Float]]
    /// For each head, `[n]`: ``Models/RankerHead/label(_:)``.
    var labels: [[Float]]
    /// `[n]`, rows of the log.
    var rows: [UInt32] = []

    init(heads count: Int = 0) {
        heads = Array(repeating: [], count: count)
        labels = heads
    }

    var count: Int { rows.count }

    /// Adds the outcomes of showings whose predictions were added.
    mutating func add(_ examples: RankingExamples, _ heads: [RankerHead]) {
        for (place, head) in heads.enumerated() { labels[place] += examples.outcomes.map(head.label) }
        rows += examples.rows
    }

    /// Rows that tell of a head: those with the event it is given.
    func told(_ head: RankerHead, of heads: [RankerHead]) -> [Int] {
        guard let given = head.given, let condition = heads.firstIndex(where: { $0.name == given }) else {
            return Array(0..<count)
        }
        return (0..<count).filter { labels[condition][$0] > 0 }
    }

    /// A head's mean cross-entropy, as it is minimised, without sampling; 0 without rows that tell of it.
    func loss(of place: Int, _ heads: [RankerHead]) -> Double {
        let rows = told(heads[place], of: heads)
        guard !rows.isEmpty else { return 0 }
        let total = rows.reduce(0.0) {
            $0 + heads[place].crossEntropy(self.heads[place][$1], label: labels[place][$1])
        }
        return total / Double(rows.count)
    }

    /// The predictions with each calibrated head calibrated.
    func calibrated(_ calibration: RankerCalibration, _ heads: [RankerHead]) -> RankerPredictions {
        var result = self
        for (place, head) in heads.enumerated() {
            if let calibrator = calibration.heads[head.name] {
                result.heads[place] = result.heads[place].map(calibrator.callAsFunction)
            }
        }
        return result
    }
}

extension RankerHead {
    /// Of what it predicts of a row, nats.
    fileprivate func crossEntropy(_ prediction: Float, label: Float) -> Double {
        let isTime = kind == .watchTime
        // The odds of p are the seconds.
        let p = isTime ? Double(prediction) / (1 + Double(prediction)) : Double(prediction)
        let y = isTime ? Double(label) / (1 + Double(label)) : isPositive(label).map { $0 ? 1 : 0 } ?? Double(label)
        let bounded = min(max(p, 1e-7), 1 - 1e-7)
        return -(y * log(bounded) + (1 - y) * log(1 - bounded))
    }
}
