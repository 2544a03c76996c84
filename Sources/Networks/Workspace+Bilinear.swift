import Kernels

extension Workspace {
    /// Interactions of pairs of fields; see `Bilinear`. The field that many pairs share is read in place.
    ///
    /// - Parameters:
    ///   - x: `[n, layout.columns]`.
    ///   - weights: `[width of j, width of i]` for each pair (i, j).
    /// - Returns: `[n, pairs]` or `[n, sum of the widths of i]`.
    /// - Complexity: O(n sum over pairs of width_i width_j).
    func bilinear(
        _ x: Tensor, _ layout: FieldLayout, _ pairs: [Bilinear.Pair], _ weights: [DenseParameter], _ form: Bilinear.Form
    ) -> Tensor {
        precondition(x.columns == layout.columns, "fields of \(layout.columns) columns, found \(x.columns)")
        let shape = BilinearShape(layout, pairs, form)
        // W_ij x_j of every pair, pair by pair `[n, width of i]`: the backward step needs them.
        let turned = make(shape.turnedWidth, x.rows)
        let result = make(x.rows, shape.outputs)
        threads.divide(pairs.count, grain: shape.grain(x.rows)) { range in
            for index in range {
                let (i, j) = (pairs[index].first, pairs[index].second)
                let width = layout.widths[i]
                let t = turned.values + shape.turned[index] * x.rows
                kernels.multiply(
                    x.operand(columns: layout.range(j)), weights[index].slice(0, layout.widths[j]), into: t)
                for row in 0..<x.rows {
                    let own = x.values + row * x.columns + layout.offsets[i]
                    let y = result.values + row * shape.outputs + shape.first[index]
                    switch form {
                    case .product: y[0] = kernels.dot(own, t + row * width, count: width)
                    case .elementwise: kernels.multiply(own, t + row * width, y, count: width)
                    }
                }
            }
        }
        recorder?.record(result, from: x, isTrained: weights.contains { $0.isTrained }) { [unowned self] gradient in
            bilinearBackward(x, layout, pairs, weights, shape, turned, gradient)
        }
        return result
    }

    /// With dt = dy x_i: dx_i += dy t, dW = x_j^T dt, dx_j += dt W^T. Rows are divided over threads for x, pairs for W.
    private func bilinearBackward(
        _ x: Tensor, _ layout: FieldLayout, _ pairs: [Bilinear.Pair], _ weights: [DenseParameter],
        _ shape: BilinearShape, _ turned: Tensor, _ gradient: UnsafeMutablePointer<Float>
    ) {
        let rows = x.rows
        let target = recorder?.gradient(of: x)
        let upstream = arena.take(shape.turnedWidth * rows)
        let sums = weights.map { $0.isTrained ? $0.gradientSum() : nil }
        threads.divide(pairs.count, grain: shape.grain(rows)) { range in
            for index in range {
                let (i, j) = (pairs[index].first, pairs[index].second)
                let width = layout.widths[i]
                let dt = upstream + shape.turned[index] * rows
                for row in 0..<rows {
                    let own = x.values + row * x.columns + layout.offsets[i]
                    let dy = gradient + row * shape.outputs + shape.first[index]
                    switch shape.form {
                    case .product: kernels.scale(dy[0], own, dt + row * width, count: width)
                    case .elementwise: kernels.multiply(dy, own, dt + row * width, count: width)
                    }
                }
                guard let sum = sums[index] else { continue }
                let operand = MatrixOperand(
                    UnsafeBufferPointer(start: dt, count: rows * width), rows: rows, columns: width)
                kernels.multiply(
                    x.operand(columns: layout.range(j)).transposed, operand, accumulate: true, into: sum)
            }
        }
        guard let target else { return }
        threads.divide(rows, grain: max(1, shape.grain(rows) * rows / max(1, pairs.count))) { range in
            let scratch = UnsafeMutablePointer<Float>.allocate(capacity: range.count * (layout.widths.max() ?? 1))
            defer { scratch.deallocate() }
            for index in pairs.indices {
                let (i, j) = (pairs[index].first, pairs[index].second)
                let width = layout.widths[i]
                let (t, dt) = (
                    turned.values + shape.turned[index] * rows, upstream + shape.turned[index] * rows
                )
                let part = MatrixOperand(
                    UnsafeBufferPointer(start: dt + range.lowerBound * width, count: range.count * width),
                    rows: range.count, columns: width)
                kernels.multiply(part, weights[index].slice(0, layout.widths[j]).transposed, into: scratch)
                for (place, row) in range.enumerated() {
                    let dx = target + row * x.columns
                    let dy = gradient + row * shape.outputs + shape.first[index]
                    kernels.axpy(
                        1, scratch + place * layout.widths[j], dx + layout.offsets[j], count: layout.widths[j])
                    switch shape.form {
                    case .product: kernels.axpy(dy[0], t + row * width, dx + layout.offsets[i], count: width)
                    case .elementwise:
                        kernels.multiplyAdd(dy, t + row * width, dx + layout.offsets[i], count: width)
                    }
                }
            }
        }
    }
}

/// Where the results of pairs lie.
private struct BilinearShape {
    let form: Bilinear.Form
    /// First output column of each pair.
    var first: [Int] = []
    /// Columns of `W_ij x_j` before each pair's.
    var turned: [Int] = []
    var outputs = 0
    var turnedWidth = 0

    init(_ layout: FieldLayout, _ pairs: [Bilinear.Pair], _ form: Bilinear.Form) {
        self.form = form
        for pair in pairs {
            first.append(outputs)
            turned.append(turnedWidth)
            outputs += form == .product ? 1 : layout.widths[pair.first]
            turnedWidth += layout.widths[pair.first]
        }
    }

    /// Pairs that are worth a thread.
    func grain(_ rows: Int) -> Int { max(1, 4096 / max(1, rows)) }
}

extension Tensor {
    /// Columns `range` of every row, in place.
    func operand(columns range: Range<Int>) -> MatrixOperand {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
        let elements = UnsafeBufferPointer(start: values + range.lowerBound, count: max(0, count - range.lowerBound))
        return MatrixOperand(elements, rows: rows, columns: range.count, stride: columns)
    }
}
