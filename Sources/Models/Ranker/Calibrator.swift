import Foundation
import Kernels

/// Makes probabilities of what a head predicts, by what became of held-out rows.
public enum Calibrator: Codable, Hashable, Sendable {
    /// `sigmoid(slope log(p / (1 - p)) + intercept)` (Platt 1999): keeps the order of candidates.
    case platt(slope: Float, intercept: Float)
    /// A rising function through points, straight between them, level outside (Zadrozny and Elkan, KDD 2002). `points` rise
    /// strictly.
    case isotonic(points: [Float], values: [Float])

    /// Predictions stay this far from 0 and 1, so that their logarithms are finite.
    static let margin: Float = 1e-6

    /// The calibrated probability; monotone in p.
    ///
    /// - Complexity: O(log points).
    public func callAsFunction(_ p: Float) -> Float {
        switch self {
        case .platt(let slope, let intercept):
            return sigmoid(slope * Float(Calibrator.logit(p)) + intercept)
        case .isotonic(let points, let values):
            return Calibrator.interpolated(p, points, values)
        }
    }

    /// Calibrates one column of predictions `[n, columns]`, each as ``callAsFunction(_:)`` to rounding.
    ///
    /// - Complexity: O(n), times log points; no allocation.
    public func calibrate(_ predictions: UnsafeMutableBufferPointer<Float>, column: Int, of columns: Int) {
        let count = predictions.count / columns
        guard case .platt(let slope, let intercept) = self else {
            for row in 0..<count { predictions[row * columns + column] = self(predictions[row * columns + column]) }
            return
        }
        // As much as the stack takes.
        let piece = 128
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * piece) { memory in
            guard let values = memory.baseAddress else { return }
            let ones = values + piece
            ones.update(repeating: 1, count: piece)
            for start in stride(from: 0, to: count, by: piece) {
                let rows = min(piece, count - start)
                let own = UnsafeMutableBufferPointer(rebasing: predictions[start * columns..<(start + rows) * columns])
                for row in 0..<rows {
                    values[row] = min(max(own[row * columns + column], Self.margin), 1 - Self.margin)
                }
                kernels.logOdds(successes: values, trials: ones, a: 0, b: 0, base: 0, values, count: rows)
                for row in 0..<rows { values[row] = -(slope * values[row] + intercept) }
                kernels.exponential(values, values, count: rows)
                for row in 0..<rows { own[row * columns + column] = 1 / (1 + values[row]) }
            }
        }
    }

    static func logit(_ p: Float) -> Double {
        let p = Double(min(max(p, margin), 1 - margin))
        return log(p / (1 - p))
    }

    private static func interpolated(_ p: Float, _ points: [Float], _ values: [Float]) -> Float {
        guard let first = values.first, let last = values.last else { return p }
        let next = points.indices.partitioningIndex { points[$0] >= p }
        if next == 0 { return first }
        if next == points.count { return last }
        let share = (p - points[next - 1]) / (points[next] - points[next - 1])
        return values[next - 1] + share * (values[next] - values[next - 1])
    }
}

extension Calibrator {
    /// Fits Platt's two numbers by Newton's method on the cross-entropy, with Platt's targets, (n+ + 1) / (n+ + 2) and
    /// 1 / (n- + 2) instead of 1 and 0, which keep it finite when a few rows are told apart without error (Lin, Lin and
    /// Weng 2007).
    ///
    /// - Parameters:
    ///   - probabilities: `[n]`, what was predicted of rows that were not trained on.
    ///   - labels: `[n]`.
    /// - Returns: nil unless both classes occur.
    /// - Complexity: O(n), times the few steps it takes.
    public static func platt(probabilities: [Float], labels: [Bool]) -> Calibrator? {
        precondition(probabilities.count == labels.count, "one label per probability")
        let positives = Double(labels.count { $0 })
        let negatives = Double(labels.count) - positives
        guard positives > 0, negatives > 0 else { return nil }
        let x = probabilities.map(logit)
        let targets = labels.map { $0 ? (positives + 1) / (positives + 2) : 1 / (negatives + 2) }
        var fit = PlattFit(slope: 1, intercept: 0)
        var loss = fit.loss(x, targets)
        for _ in 0..<PlattFit.stepsMax {
            guard let step = fit.newtonStep(x, targets) else { break }
            var share = 1.0
            var next = fit.moved(step, by: share)
            var nextLoss = next.loss(x, targets)
            while nextLoss > loss, share > PlattFit.shareMin {
                share /= 2
                next = fit.moved(step, by: share)
                nextLoss = next.loss(x, targets)
            }
            guard nextLoss < loss else { break }
            let gain = loss - nextLoss
            (fit, loss) = (next, nextLoss)
            if gain < PlattFit.tolerance * Double(x.count) { break }
        }
        return .platt(slope: Float(fit.slope), intercept: Float(fit.intercept))
    }

    /// Fits the rising function of least squares by pooling adjacent violators (Ayer et al. 1955).
    ///
    /// - Returns: nil unless both classes occur.
    /// - Complexity: O(n log n).
    public static func isotonic(probabilities: [Float], labels: [Bool]) -> Calibrator? {
        precondition(probabilities.count == labels.count, "one label per probability")
        guard labels.contains(true), labels.contains(false) else { return nil }
        let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
        var blocks: [Block] = []
        for index in order {
            let p = probabilities[index]
            let positive = labels[index] ? 1.0 : 0
            // Equal predictions get one value.
            if var last = blocks.last, last.last == p, last.first == p {
                last.sum += positive
                last.count += 1
                blocks[blocks.count - 1] = last
            } else {
                blocks.append(Block(first: p, last: p, sum: positive, count: 1))
            }
        }
        var pooled: [Block] = []
        for block in blocks {
            var block = block
            while let before = pooled.last, before.mean >= block.mean {
                block = Block(
                    first: before.first, last: block.last, sum: before.sum + block.sum,
                    count: before.count + block.count)
                pooled.removeLast()
            }
            pooled.append(block)
        }
        var (points, values): ([Float], [Float]) = ([], [])
        for block in pooled {
            let value = min(max(Float(block.mean), margin), 1 - margin)
            for point in block.first == block.last ? [block.first] : [block.first, block.last] {
                points.append(point)
                values.append(value)
            }
        }
        return .isotonic(points: points, values: values)
    }

    /// Rows that get one value.
    private struct Block {
        var first: Float
        var last: Float
        var sum: Double
        var count: Double
        var mean: Double { sum / count }
    }
}

/// Two numbers on their way to the least cross-entropy.
private struct PlattFit {
    var slope: Double
    var intercept: Double

    static let stepsMax = 100
    static let shareMin = 1e-10
    /// Of the mean loss, in nats.
    static let tolerance = 1e-12
    /// Added to the curvature's diagonal: it vanishes where all rows are sure.
    private static let ridge = 1e-12

    func loss(_ x: [Double], _ targets: [Double]) -> Double {
        zip(x, targets).reduce(0) { sum, row in
            let z = slope * row.0 + intercept
            return sum + max(z, 0) + log1p(exp(-abs(z))) - row.1 * z
        }
    }

    func moved(_ step: (slope: Double, intercept: Double), by share: Double) -> PlattFit {
        PlattFit(slope: slope - share * step.slope, intercept: intercept - share * step.intercept)
    }

    /// The inverse of the curvature times the gradient; nil when it is flat.
    func newtonStep(_ x: [Double], _ targets: [Double]) -> (slope: Double, intercept: Double)? {
        var (g0, g1, h00, h01, h11) = (0.0, 0.0, Self.ridge, 0.0, Self.ridge)
        for (x, target) in zip(x, targets) {
            let p = 1 / (1 + exp(-slope * x - intercept))
            let weight = p * (1 - p)
            g0 += (p - target) * x
            g1 += p - target
            h00 += weight * x * x
            h01 += weight * x
            h11 += weight
        }
        let determinant = h00 * h11 - h01 * h01
        guard determinant > 0 else { return nil }
        return ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant)
    }
}
