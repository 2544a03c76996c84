import Kernels

/// Batch normalisation (Ioffe and Szegedy, ICML 2015) with parameters `<name>.scale` and `<name>.shift`, and with what it
/// has seen, `<name>.mean` and `<name>.variance`, by which it works in serving.
public struct BatchNorm: Sendable {
    public let scale: DenseParameter
    public let shift: DenseParameter
    public let mean: DenseParameter
    public let variance: DenseParameter
    /// Weight of a batch's statistics in the running ones.
    public let momentum: Float

    public init(
        _ name: String, width: Int, momentum: Float = 0.1, in parameters: ParameterSet
    ) throws(NetworkError) {
        scale = try parameters.matrix("\(name).scale", rows: 1, columns: width, initial: .ones)
        shift = try parameters.matrix("\(name).shift", rows: 1, columns: width, initial: .zeros)
        mean = try parameters.matrix("\(name).mean", rows: 1, columns: width, initial: .zeros)
        variance = try parameters.matrix("\(name).variance", rows: 1, columns: width, initial: .ones)
        // Statistics follow the batches, no gradient.
        mean.isTrained = false
        variance.isTrained = false
        self.momentum = momentum
    }

    public func callAsFunction(_ x: Tensor, in workspace: Workspace) -> Tensor {
        workspace.batchNorm(x, self)
    }
}

extension Workspace {
    /// Each column less its mean, divided by its deviation, times `scale`, plus `shift`. On a tape by the statistics of
    /// the batch, which also move the running ones; in a plain workspace by the running ones.
    ///
    /// - Parameter epsilon: added to the variance.
    public func batchNorm(_ x: Tensor, _ norm: BatchNorm, epsilon: Float = 1e-5) -> Tensor {
        let width = x.columns
        precondition(norm.scale.count == width, "\(norm.scale.name) is not of width \(width)")
        let standard = make(x.rows, width)
        let factors = make(1, width)
        let statistics = make(2, width)
        let (mean, variance) = (statistics.values, statistics.values + width)
        if recorder != nil, x.rows > 1 {
            columnStatistics(x, mean: mean, variance: variance)
            norm.follow(mean: mean, variance: variance, rows: x.rows)
        } else {
            mean.update(from: norm.mean.values, count: width)
            variance.update(from: norm.variance.values, count: width)
        }
        for column in 0..<width { factors.values[column] = 1 / (variance[column] + epsilon).squareRoot() }
        let result = make(x.rows, width)
        eachRows(x.rows, width: 3 * width) { range in
            for row in range {
                let (s, y) = (standard.values + row * width, result.values + row * width)
                s.update(from: x.values + row * width, count: width)
                kernels.axpy(-1, mean, s, count: width)
                kernels.multiply(s, factors.values, s, count: width)
                y.update(from: norm.shift.values, count: width)
                kernels.multiplyAdd(s, norm.scale.values, y, count: width)
            }
        }
        let isBatch = recorder != nil && x.rows > 1
        recorder?.record(
            result, from: x, isTrained: norm.scale.isTrained || norm.shift.isTrained
        ) { [unowned self] gradient in
            batchNormBackward(x, standard, factors, norm, isBatch: isBatch, gradient)
        }
        return result
    }

    private func columnStatistics(
        _ x: Tensor, mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>
    ) {
        let width = x.columns
        let difference = make(1, width).values
        mean.update(repeating: 0, count: width)
        variance.update(repeating: 0, count: width)
        let share = 1 / Float(x.rows)
        for row in 0..<x.rows { kernels.axpy(share, x.values + row * width, mean, count: width) }
        for row in 0..<x.rows {
            difference.update(from: x.values + row * width, count: width)
            kernels.axpy(-1, mean, difference, count: width)
            kernels.multiplyAdd(difference, difference, variance, count: width)
        }
        kernels.scale(share, variance, variance, count: width)
    }

    /// With s the standardised column and g = dy * scale: dx = (g - mean(g) - s mean(g s)) / deviation; by running
    /// statistics, which do not depend on x, dx = g / deviation.
    private func batchNormBackward(
        _ x: Tensor, _ standard: Tensor, _ factors: Tensor, _ norm: BatchNorm, isBatch: Bool,
        _ gradient: UnsafeMutablePointer<Float>
    ) {
        let width = x.columns
        let sums = make(2, width)
        let (total, along) = (sums.values, sums.values + width)
        total.update(repeating: 0, count: 2 * width)
        for row in 0..<x.rows {
            kernels.axpy(1, gradient + row * width, total, count: width)
            kernels.multiplyAdd(gradient + row * width, standard.values + row * width, along, count: width)
        }
        if norm.shift.isTrained { kernels.axpy(1, total, norm.shift.gradientSum(), count: width) }
        if norm.scale.isTrained { kernels.axpy(1, along, norm.scale.gradientSum(), count: width) }
        guard let target = recorder?.gradient(of: x) else { return }
        // dx = factor scale (dy - total / n - s along / n)
        let factor = make(1, width).values
        kernels.multiply(factors.values, norm.scale.values, factor, count: width)
        let share = isBatch ? -1 / Float(x.rows) : 0
        kernels.scale(share, total, total, count: 2 * width)
        eachRows(x.rows, width: 3 * width) { range in
            for row in range {
                let dy = gradient + row * width
                kernels.axpy(1, total, dy, count: width)
                kernels.multiplyAdd(standard.values + row * width, along, dy, count: width)
                kernels.multiplyAdd(dy, factor, target + row * width, count: width)
            }
        }
    }
}

extension BatchNorm {
    /// Moves the running statistics; the variance that is kept is the unbiased one.
    func follow(mean batchMean: UnsafePointer<Float>, variance batchVariance: UnsafePointer<Float>, rows: Int) {
        guard let means = mean.mutableValues, let variances = variance.mutableValues else { return }
        let unbiased = Float(rows) / Float(rows - 1)
        for column in 0..<mean.count {
            means[column] += momentum * (batchMean[column] - means[column])
            variances[column] += momentum * (unbiased * batchVariance[column] - variances[column])
        }
    }
}
