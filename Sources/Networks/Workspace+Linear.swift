public import Kernels

extension Workspace {
    /// A dense layer over the concatenation of `parts`: `y = f([x_1 ... x_p] W + b)`.
    ///
    /// A part of one row stands for that row repeated: it is multiplied once and joins the bias. That is how one user
    /// meets n candidates at the cost of one row.
    /// - Parameters:
    ///   - parts: `[n, k_i]` or `[1, k_i]`, the k_i summing to the rows of `weight`.
    ///   - weight: `[k, m]`; bias: `[1, m]` or nil.
    /// - Returns: `[n, m]`; n is 1 when all parts have one row.
    /// - Complexity: O(n k m).
    public func linear(
        _ parts: [Tensor], weight: DenseParameter, bias: DenseParameter?, activation: Activation = .identity
    ) -> Tensor {
        let rows = parts.first { $0.rows != 1 }?.rows ?? 1
        precondition(parts.allSatisfy { $0.rows == rows || $0.rows == 1 }, "parts of a layer differ in rows")
        precondition(
            parts.reduce(0) { $0 + $1.columns } == weight.rows,
            "\(weight.name) has \(weight.rows) inputs, found \(parts.map(\.columns))")
        precondition(bias.map { $0.count == weight.columns } ?? true, "\(weight.name) and its bias differ in outputs")
        // A single column is a dot product per row: nothing is gained by putting its parts together first.
        let parts = weight.columns > 1 ? merged(parts, rows: rows) : parts
        let result = make(rows, weight.columns)
        linearForward(parts, weight, bias, activation, result)
        recorder?.record(
            result, from: parts, isTrained: weight.isTrained || (bias?.isTrained ?? false)
        ) { [unowned self] gradient in
            linearBackward(parts, weight, bias, activation, result, gradient)
        }
        return result
    }

    /// Neighbouring parts of all rows put together: one product of their joint width reads and writes the result once.
    private func merged(_ parts: [Tensor], rows: Int) -> [Tensor] {
        var result: [Tensor] = []
        var run: [Tensor] = []
        for part in parts {
            if part.rows == rows {
                run.append(part)
                continue
            }
            if !run.isEmpty { result.append(run.count == 1 ? run[0] : concatenate(run)) }
            run.removeAll()
            result.append(part)
        }
        if !run.isEmpty { result.append(run.count == 1 ? run[0] : concatenate(run)) }
        return result
    }

    private func linearForward(
        _ parts: [Tensor], _ weight: DenseParameter, _ bias: DenseParameter?, _ activation: Activation,
        _ result: Tensor
    ) {
        var start = bias?.values
        var pending = parts.count
        // Parts of one row first: their products and the bias are what every row starts from.
        if result.rows != 1 {
            var first = 0
            for part in parts {
                if part.rows == 1 {
                    let row = make(1, weight.columns)
                    product(part, weight, first, start, .identity, false, row)
                    start = UnsafePointer(row.values)
                    pending -= 1
                }
                first += part.columns
            }
        }
        precondition(pending > 0, "a layer needs an input")
        var isFirst = true
        var first = 0
        for part in parts {
            if part.rows == result.rows {
                pending -= 1
                product(part, weight, first, start, pending == 0 ? activation : .identity, !isFirst, result)
                isFirst = false
            }
            first += part.columns
        }
    }

    /// `result = f(part * weight[first...] + start)`, or f of the sum with what is there.
    private func product(
        _ part: Tensor, _ weight: DenseParameter, _ first: Int, _ start: UnsafePointer<Float>?,
        _ activation: Activation, _ accumulate: Bool, _ result: Tensor
    ) {
        if let bytes = weight.bytes, part.rows == result.rows, weight.columns > 1 {
            kernels.multiply(
                quantized(part), bytes.slice(first..<first + part.columns), bias: start, activation: activation,
                accumulate: accumulate, into: result.values)
        } else if let packed = weight.packed {
            kernels.multiply(
                part.operand, packed, firstRow: first, bias: start, activation: activation, accumulate: accumulate,
                into: result.values)
        } else {
            kernels.multiply(
                part.operand, weight.slice(first, part.columns), bias: start, activation: activation,
                accumulate: accumulate, into: result.values, threads: threads)
        }
    }

    /// dz = dy f'(z); db = sum of rows of dz; dW = x^T dz; dx = dz W^T.
    private func linearBackward(
        _ parts: [Tensor], _ weight: DenseParameter, _ bias: DenseParameter?, _ activation: Activation,
        _ result: Tensor, _ gradient: UnsafeMutablePointer<Float>
    ) {
        let (rows, columns) = (result.rows, result.columns)
        if activation != .identity {
            eachRows(rows, width: columns) { range in
                let at = range.lowerBound * columns
                kernels.activateGradient(
                    activation, output: result.values + at, gradient: gradient + at, gradient + at,
                    count: range.count * columns)
            }
        }
        let dz = MatrixOperand(
            UnsafeBufferPointer(start: gradient, count: rows * columns), rows: rows, columns: columns)
        var summed = dz
        if bias?.isTrained == true || parts.contains(where: { $0.rows != rows }) {
            let sums = arena.zeros(columns)
            for row in 0..<rows { kernels.axpy(1, gradient + row * columns, sums, count: columns) }
            summed = MatrixOperand(UnsafeBufferPointer(start: sums, count: columns), rows: 1, columns: columns)
            if let bias, bias.isTrained { kernels.axpy(1, sums, bias.gradientSum(), count: columns) }
        }
        var first = 0
        for part in parts {
            let dz = part.rows == rows ? dz : summed
            if weight.isTrained {
                kernels.multiply(
                    part.operand.transposed, dz, accumulate: true, into: weight.gradientSum() + first * columns,
                    threads: threads)
            }
            if let target = recorder?.gradientTarget(of: part) {
                kernels.multiply(
                    dz, weight.slice(first, part.columns).transposed, accumulate: target.accumulate,
                    into: target.values, threads: threads)
            }
            first += part.columns
        }
    }
}

extension Tensor {
    var operand: MatrixOperand {
        MatrixOperand(UnsafeBufferPointer(start: values, count: count), rows: rows, columns: columns)
    }
}

extension DenseParameter {
    /// Rows `first ..< first + count`.
    func slice(_ first: Int, _ count: Int) -> MatrixOperand {
        precondition(
            first >= 0 && first + count <= rows, "rows \(first)..<\(first + count) of \(name), which has \(rows)")
        let elements = UnsafeBufferPointer(start: values + first * columns, count: count * columns)
        return MatrixOperand(elements, rows: count, columns: columns)
    }
}
