import Kernels

/// How the logits of an in-batch softmax are corrected, by column.
public struct SoftmaxCorrection: Sendable {
    /// `[m]`, log of each column's sampling probability, subtracted from its logits (Yi et al., RecSys 2019); empty for none.
    public var logProbabilities: [Float]
    /// `[m]`, identity of each column; a column that is the same thing as the row's target, without being it, is left
    /// out of the row's softmax (an accidental hit). Empty for none.
    public var identities: [UInt64]

    public init(logProbabilities: [Float] = [], identities: [UInt64] = []) {
        self.logProbabilities = logProbabilities
        self.identities = identities
    }
}

extension Tape {
    /// Weighted mean over rows of the softmax cross-entropy: `-log softmax(logits_i)[targets_i]`.
    ///
    /// - Parameters:
    ///   - logits: `[n, m]`.
    ///   - targets: `[n]`, columns; nil when row i's target is column i.
    ///   - weights: `[n]`, not negative; nil when all are 1.
    /// - Returns: `[1, 1]`; 0 when the weights sum to 0.
    public func softmaxCrossEntropy(
        _ logits: Tensor, targets: [Int]? = nil, correction: SoftmaxCorrection = .init(), weights: [Float]? = nil
    ) -> Tensor {
        let (rows, columns) = (logits.rows, logits.columns)
        let targets = targets ?? Array(0..<rows)
        precondition(
            targets.count == rows && targets.allSatisfy { $0 >= 0 && $0 < columns }, "one column of \(columns) per row")
        precondition([0, columns].contains(correction.logProbabilities.count), "one probability per column")
        precondition([0, columns].contains(correction.identities.count), "one identity per column")
        let rowWeights = normalized(weights, rows)
        let probabilities = make(rows, columns)
        let losses = make(rows, 1)
        eachRows(rows, width: 4 * columns) { range in
            for row in range {
                let output = probabilities.values + row * columns
                let input = logits.values + row * columns
                losses.values[row] =
                    rowWeights[row] * Tape.softmaxLoss(input, output, columns, targets[row], correction)
            }
        }
        let result = make(1, 1)
        result.values[0] = kernels.sum(losses.values, count: rows)
        // d/dlogits = w_i (softmax - onehot)
        record(result, from: logits) { [unowned self] gradient in
            eachRows(rows, width: columns) { range in
                for row in range {
                    let factor = gradient[0] * rowWeights[row]
                    let dx = probabilities.values + row * columns
                    kernels.scale(factor, dx, dx, count: columns)
                    dx[targets[row]] -= factor
                }
            }
            addGradient(consuming: probabilities.values, to: logits)
        }
        return result
    }

    private static func softmaxLoss(
        _ logits: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ columns: Int, _ target: Int,
        _ correction: SoftmaxCorrection
    ) -> Float {
        output.update(from: logits, count: columns)
        if !correction.logProbabilities.isEmpty {
            kernels.axpy(-1, correction.logProbabilities, output, count: columns)
        }
        if !correction.identities.isEmpty {
            correction.identities.withUnsafeBufferPointer { identities in
                let own = identities[target]
                for column in 0..<columns where identities[column] == own && column != target {
                    output[column] = -.infinity
                }
            }
        }
        let score = output[target]
        return kernels.softmax(output, output, count: columns) - score
    }

    /// Weighted mean of the binary cross-entropy of `sigmoid(logits)`: `log(1 + exp(z)) - y z`.
    ///
    /// - Parameters:
    ///   - logits: `[n, 1]`.
    ///   - labels: `[n]` in 0...1.
    ///   - weights: `[n]`, not negative; nil when all are 1.
    /// - Returns: `[1, 1]`; 0 when the weights sum to 0.
    public func sigmoidCrossEntropy(_ logits: Tensor, labels: [Float], weights: [Float]? = nil) -> Tensor {
        precondition(logits.columns == 1 && labels.count == logits.rows, "one logit and one label per row")
        let rowWeights = normalized(weights, logits.rows)
        let result = make(1, 1)
        var total: Double = 0
        for row in 0..<logits.rows {
            let z = logits.values[row]
            total += Double(rowWeights[row] * (softplus(z) - labels[row] * z))
        }
        result.values[0] = Float(total)
        record(result, from: logits) { [unowned self] gradient in
            guard let target = self.gradient(of: logits) else { return }
            for row in 0..<logits.rows {
                target[row] += gradient[0] * rowWeights[row] * (sigmoid(logits.values[row]) - labels[row])
            }
        }
        return result
    }

    /// Watch time by weighted logistic regression (Covington et al., RecSys 2016): with p = sigmoid(z),
    /// `-(t / (1 + t)) log p - (1 / (1 + t)) log(1 - p)`, so that `exp(z)` estimates the seconds.
    ///
    /// - Parameters:
    ///   - logits: `[n, 1]`.
    ///   - seconds: `[n]`, at least 0; 0 for what was not played.
    ///   - weights: `[n]`, not negative; nil when all are 1.
    public func watchTimeLoss(_ logits: Tensor, seconds: [Float], weights: [Float]? = nil) -> Tensor {
        sigmoidCrossEntropy(logits, labels: seconds.map { $0 / (1 + $0) }, weights: weights)
    }

    /// Weighted mean of `max(0, x + margin)`.
    ///
    /// - Parameters:
    ///   - x: `[n, 1]`.
    ///   - weights: `[n]`, not negative; nil when all are 1.
    /// - Returns: `[1, 1]`; 0 when the weights sum to 0.
    public func hingeLoss(_ x: Tensor, margin: Float, weights: [Float]? = nil) -> Tensor {
        precondition(x.columns == 1, "one number per row")
        let rowWeights = normalized(weights, x.rows)
        let result = make(1, 1)
        var total: Double = 0
        for row in 0..<x.rows { total += Double(rowWeights[row] * max(0, x.values[row] + margin)) }
        result.values[0] = Float(total)
        record(result, from: x) { [unowned self] gradient in
            guard let target = self.gradient(of: x) else { return }
            for row in 0..<x.rows where x.values[row] + margin > 0 { target[row] += gradient[0] * rowWeights[row] }
        }
        return result
    }

    /// Weights divided by their sum; all 0 when it is 0.
    private func normalized(_ weights: [Float]?, _ rows: Int) -> [Float] {
        guard let weights else { return Array(repeating: 1 / Float(max(1, rows)), count: rows) }
        precondition(weights.count == rows && weights.allSatisfy { $0 >= 0 }, "one weight of at least 0 per row")
        let total = weights.reduce(0.0) { $0 + Double($1) }
        return weights.map { total > 0 ? Float(Double($0) / total) : 0 }
    }
}
