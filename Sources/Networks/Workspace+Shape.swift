import Kernels

extension Workspace {
    /// The parts side by side: `[n, k_1] ... [n, k_p]` to `[n, k_1 + ... + k_p]`.
    public func concatenate(_ parts: [Tensor]) -> Tensor {
        let rows = parts.first?.rows ?? 0
        precondition(parts.allSatisfy { $0.rows == rows }, "parts differ in rows: \(parts.map(\.rows))")
        let result = make(rows, parts.reduce(0) { $0 + $1.columns })
        var first = 0
        for part in parts {
            copyColumns(from: part, 0, to: result, first, part.columns)
            first += part.columns
        }
        recorder?.record(result, from: parts, isTrained: false) { [unowned self] gradient in
            var first = 0
            for part in parts {
                if let target = recorder?.gradient(of: part) {
                    addColumns(
                        from: gradient + first, result.columns, to: target, part.columns, rows, part.columns)
                }
                first += part.columns
            }
        }
        return result
    }

    /// Columns `range` of every row.
    public func columns(_ x: Tensor, _ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= x.columns, "columns \(range) of \(x.columns)")
        let result = make(x.rows, range.count)
        copyColumns(from: x, range.lowerBound, to: result, 0, range.count)
        recorder?.record(result, from: x) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: x) else { return }
            addColumns(from: gradient, range.count, to: target + range.lowerBound, x.columns, x.rows, range.count)
        }
        return result
    }

    /// `y_i = x[rows[i]]`: row choice, repetition and order at will.
    public func rows(_ x: Tensor, _ rows: [UInt32]) -> Tensor {
        let result = make(rows.count, x.columns)
        for (index, row) in rows.enumerated() {
            precondition(Int(row) < x.rows, "row \(row) of \(x.rows)")
            (result.values + index * x.columns).update(from: x.values + Int(row) * x.columns, count: x.columns)
        }
        recorder?.record(result, from: x) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: x) else { return }
            for (index, row) in rows.enumerated() {
                kernels.axpy(
                    1, gradient + index * x.columns, target + Int(row) * x.columns, count: x.columns)
            }
        }
        return result
    }

    private func copyColumns(from source: Tensor, _ from: Int, to target: Tensor, _ to: Int, _ count: Int) {
        eachRows(source.rows, width: count) { range in
            for row in range {
                (target.values + row * target.columns + to).update(
                    from: source.values + row * source.columns + from, count: count)
            }
        }
    }

    private func addColumns(
        from source: UnsafePointer<Float>, _ sourceStride: Int, to target: UnsafeMutablePointer<Float>,
        _ targetStride: Int, _ rows: Int, _ count: Int
    ) {
        eachRows(rows, width: count) { range in
            for row in range {
                kernels.axpy(1, source + row * sourceStride, target + row * targetStride, count: count)
            }
        }
    }
}
