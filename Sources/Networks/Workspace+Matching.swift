import Kernels

extension Workspace {
    /// Rows of unit length: `y_i = x_i / |x_i|`; a zero row stays zero.
    public func normalizeRows(_ x: Tensor) -> Tensor {
        let width = x.columns
        let result = make(x.rows, width)
        let factors = make(x.rows, 1)
        eachRows(x.rows, width: width) { range in
            for row in range {
                factors.values[row] = kernels.normalize(
                    x.values + row * width, result.values + row * width, count: width)
            }
        }
        // dx = (dy - (dy . y) y) / |x|
        recorder?.record(result, from: x) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: x) else { return }
            eachRows(x.rows, width: width) { range in
                for row in range {
                    let (dy, y) = (gradient + row * width, result.values + row * width)
                    let (dx, factor) = (target + row * width, factors.values[row])
                    let along = kernels.dot(dy, y, count: width)
                    kernels.axpy(factor, dy, dx, count: width)
                    kernels.axpy(-factor * along, y, dx, count: width)
                }
            }
        }
        return result
    }

    /// `y_i = a_i . b_i`: `[n, d]` and `[n, d]` to `[n, 1]`.
    public func rowDot(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.requireShape(of: b)
        let width = a.columns
        let result = make(a.rows, 1)
        for row in 0..<a.rows {
            result.values[row] = kernels.dot(a.values + row * width, b.values + row * width, count: width)
        }
        recorder?.record(result, from: a, b) { [unowned self] gradient in
            for (input, other) in [(a, b), (b, a)] {
                guard let target = recorder?.gradient(of: input) else { continue }
                for row in 0..<a.rows {
                    kernels.axpy(gradient[row], other.values + row * width, target + row * width, count: width)
                }
            }
        }
        return result
    }

    /// `a b^T`: `[n, d]` and `[m, d]` to every pair's inner product `[n, m]`.
    public func product(_ a: Tensor, transposed b: Tensor) -> Tensor {
        precondition(a.columns == b.columns, "inner sizes \(a.columns) and \(b.columns) differ")
        let result = make(a.rows, b.rows)
        kernels.multiply(a.operand, b.operand.transposed, into: result.values, threads: threads)
        recorder?.record(result, from: a, b) { [unowned self] gradient in
            let dy = MatrixOperand(
                UnsafeBufferPointer(start: gradient, count: result.count), rows: result.rows, columns: result.columns)
            if let target = recorder?.gradientTarget(of: a) {
                kernels.multiply(
                    dy, b.operand, accumulate: target.accumulate, into: target.values, threads: threads)
            }
            if let target = recorder?.gradientTarget(of: b) {
                kernels.multiply(
                    dy.transposed, a.operand, accumulate: target.accumulate, into: target.values, threads: threads)
            }
        }
        return result
    }

    /// Layer normalisation (Ba, Kiros, Hinton 2016): each row less its mean, divided by its deviation, times `scale`,
    /// plus `shift`.
    ///
    /// - Parameters:
    ///   - scale, shift: `[1, x.columns]`.
    ///   - epsilon: added to the variance.
    public func layerNorm(
        _ x: Tensor, scale: DenseParameter, shift: DenseParameter, epsilon: Float = 1e-5
    ) -> Tensor {
        let width = x.columns
        precondition(scale.count == width && shift.count == width, "\(scale.name) is not of width \(width)")
        let result = make(x.rows, width)
        let standard = make(x.rows, width)
        let factors = make(x.rows, 1)
        eachRows(x.rows, width: 4 * width) { range in
            for row in range {
                let (source, target) = (x.values + row * width, standard.values + row * width)
                let mean = kernels.sum(source, count: width) / Float(width)
                for column in 0..<width { target[column] = source[column] - mean }
                let variance = kernels.dot(target, target, count: width) / Float(width)
                factors.values[row] = 1 / (variance + epsilon).squareRoot()
                kernels.scale(factors.values[row], target, target, count: width)
                let output = result.values + row * width
                output.update(from: shift.values, count: width)
                kernels.multiplyAdd(target, scale.values, output, count: width)
            }
        }
        recorder?.record(result, from: x, isTrained: scale.isTrained || shift.isTrained) { [unowned self] gradient in
            layerNormBackward(x, standard, factors, scale, shift, gradient)
        }
        return result
    }

    /// With s the standardised row and g = dy * scale: dx = (g - mean(g) - s mean(g s)) / deviation.
    private func layerNormBackward(
        _ x: Tensor, _ standard: Tensor, _ factors: Tensor, _ scale: DenseParameter, _ shift: DenseParameter,
        _ gradient: UnsafeMutablePointer<Float>
    ) {
        let width = x.columns
        for row in 0..<x.rows {
            let (dy, s) = (gradient + row * width, standard.values + row * width)
            if shift.isTrained { kernels.axpy(1, dy, shift.gradientSum(), count: width) }
            if scale.isTrained { kernels.multiplyAdd(dy, s, scale.gradientSum(), count: width) }
        }
        guard let target = recorder?.gradient(of: x) else { return }
        eachRows(x.rows, width: 4 * width) { range in
            for row in range {
                let (dy, s, dx) = (gradient + row * width, standard.values + row * width, target + row * width)
                kernels.multiply(dy, scale.values, dy, count: width)
                let mean = kernels.sum(dy, count: width) / Float(width)
                let along = kernels.dot(dy, s, count: width) / Float(width)
                let factor = factors.values[row]
                for column in 0..<width { dx[column] += factor * (dy[column] - mean - s[column] * along) }
            }
        }
    }
}
