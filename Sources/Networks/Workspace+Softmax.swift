import Kernels

extension Workspace {
    /// The softmax of each row.
    public func softmaxRows(_ x: Tensor) -> Tensor {
        let width = x.columns
        let result = make(x.rows, width)
        let (source, output) = (x.values, result.values)
        eachRows(x.rows, width: 4 * width) { range in
            for row in range { kernels.softmax(source + row * width, output + row * width, count: width) }
        }
        // dx = y (dy - dy . y)
        recorder?.record(result, from: x) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: x) else { return }
            eachRows(x.rows, width: 4 * width) { range in
                for row in range {
                    let (dy, y, dx) = (gradient + row * width, output + row * width, target + row * width)
                    let along = kernels.dot(dy, y, count: width)
                    for column in 0..<width { dx[column] += y[column] * (dy[column] - along) }
                }
            }
        }
        return result
    }

    /// Gates against polarisation (Zhao et al., RecSys 2019): in training, each weight of a row is dropped with this
    /// probability and the others are scaled to sum to 1 again; a row that would lose every weight keeps all. In a plain
    /// workspace, the gates themselves.
    ///
    /// - Parameter gates: `[n, E]`, rows of positive weights that sum to 1.
    public func gateDropout(_ gates: Tensor, probability: Float) -> Tensor {
        precondition(probability >= 0 && probability < 1, "a dropout probability lies in 0..<1")
        guard let tape = recorder, probability > 0 else { return gates }
        let width = gates.columns
        let mask = make(gates.rows, width)
        for row in 0..<gates.rows {
            let kept = mask.values + row * width
            var count = 0
            for column in 0..<width {
                let isKept = tape.generator.uniform() >= probability
                kept[column] = isKept ? 1 : 0
                count += isKept ? 1 : 0
            }
            if count == 0 { kept.update(repeating: 1, count: width) }
        }
        return renormalized(gates, mask: mask)
    }

    /// `y_e = m_e g_e / sum over j of m_j g_j` in each row.
    ///
    /// - Parameters:
    ///   - gates: `[n, E]`, positive.
    ///   - mask: `[n, E]` of zeros and ones, a one in every row; a constant.
    public func renormalized(_ gates: Tensor, mask: Tensor) -> Tensor {
        gates.requireShape(of: mask)
        let width = gates.columns
        let result = make(gates.rows, width)
        let factors = make(gates.rows, 1)
        kernels.multiply(gates.values, mask.values, result.values, count: gates.count)
        for row in 0..<gates.rows {
            let y = result.values + row * width
            // Weights that are next to nothing have no direction to keep.
            factors.values[row] = 1 / max(kernels.sum(y, count: width), .leastNormalMagnitude)
            kernels.scale(factors.values[row], y, y, count: width)
        }
        // dg = m (dy - dy . y) / sum
        recorder?.record(result, from: gates) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: gates) else { return }
            for row in 0..<gates.rows {
                let (dy, at) = (gradient + row * width, row * width)
                let along = kernels.dot(dy, result.values + at, count: width)
                let factor = factors.values[row]
                for column in 0..<width {
                    target[at + column] += mask.values[at + column] * factor * (dy[column] - along)
                }
            }
        }
        return result
    }

    /// Parts mixed by each row's weights: `y_i = sum over e of weights[i, e] parts_e[i]`.
    ///
    /// - Parameters:
    ///   - parts: E tensors `[n, d]`.
    ///   - weights: `[n, E]`.
    /// - Complexity: O(n E d).
    public func mixture(_ parts: [Tensor], weights: Tensor) -> Tensor {
        guard let first = parts.first else { preconditionFailure("a mixture has parts") }
        for part in parts { part.requireShape(of: first) }
        precondition(
            weights.rows == first.rows && weights.columns == parts.count,
            "[\(weights.rows), \(weights.columns)] weights for \(parts.count) parts of \(first.rows) rows")
        let (rows, width, count) = (first.rows, first.columns, parts.count)
        let result = make(rows, width)
        let (sources, shares, output) = (parts.map(\.values), weights.values, result.values)
        eachRows(rows, width: width * count) { range in
            for row in range {
                let (y, own) = (output + row * width, shares + row * count)
                kernels.scale(own[0], sources[0] + row * width, y, count: width)
                for part in 1..<max(1, count) {
                    kernels.axpy(own[part], sources[part] + row * width, y, count: width)
                }
            }
        }
        recorder?.record(result, from: parts + [weights], isTrained: false) { [unowned self] gradient in
            let targets = parts.map { recorder?.gradient(of: $0) }
            let shareTarget = recorder?.gradient(of: weights)
            eachRows(rows, width: 2 * width * count) { range in
                for row in range {
                    let (dy, at) = (gradient + row * width, row * width)
                    for part in 0..<count {
                        if let target = targets[part] {
                            kernels.axpy(shares[row * count + part], dy, target + at, count: width)
                        }
                        if let shareTarget {
                            shareTarget[row * count + part] += kernels.dot(dy, sources[part] + at, count: width)
                        }
                    }
                }
            }
        }
        return result
    }
}
