import Kernels

/// Where the fields of a row lie that is made of embeddings side by side.
public struct FieldLayout: Sendable, Hashable {
    /// Width of each field.
    public let widths: [Int]
    /// First column of each field.
    public let offsets: [Int]
    /// Columns of all fields.
    public let columns: Int

    public init(widths: [Int]) {
        precondition(widths.allSatisfy { $0 > 0 }, "fields have at least one column")
        self.widths = widths
        var offsets: [Int] = []
        var total = 0
        for width in widths {
            offsets.append(total)
            total += width
        }
        self.offsets = offsets
        columns = total
    }

    public var count: Int { widths.count }

    /// Columns of field `index`.
    public func range(_ index: Int) -> Range<Int> { offsets[index]..<offsets[index] + widths[index] }
}

extension Workspace {
    /// The mean of each field: `[n, layout.columns]` to `[n, fields]`. The squeeze of SENet.
    public func fieldMeans(_ x: Tensor, _ layout: FieldLayout) -> Tensor {
        precondition(x.columns == layout.columns, "fields of \(layout.columns) columns, found \(x.columns)")
        let result = make(x.rows, layout.count)
        let (source, output, width, fields) = (x.values, result.values, x.columns, layout.count)
        eachRows(x.rows, width: width) { range in
            for row in range {
                for field in 0..<fields {
                    let start = source + row * width + layout.offsets[field]
                    output[row * fields + field] =
                        kernels.sum(start, count: layout.widths[field]) / Float(layout.widths[field])
                }
            }
        }
        recorder?.record(result, from: x) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: x) else { return }
            eachRows(x.rows, width: width) { range in
                for row in range {
                    for field in 0..<fields {
                        let share = gradient[row * fields + field] / Float(layout.widths[field])
                        let dx = target + row * width + layout.offsets[field]
                        for column in 0..<layout.widths[field] { dx[column] += share }
                    }
                }
            }
        }
        return result
    }

    /// Each field times its weight: `[n, layout.columns]` and `[n, fields]` to `[n, layout.columns]`.
    public func scaleFields(_ x: Tensor, _ layout: FieldLayout, by weights: Tensor) -> Tensor {
        precondition(
            x.columns == layout.columns && weights.columns == layout.count && weights.rows == x.rows,
            "fields \(layout.widths), found [\(x.rows), \(x.columns)] by [\(weights.rows), \(weights.columns)]")
        let result = make(x.rows, x.columns)
        let (source, factors, output) = (x.values, weights.values, result.values)
        let (width, fields) = (x.columns, layout.count)
        eachRows(x.rows, width: width) { range in
            for row in range {
                for field in 0..<fields {
                    let at = row * width + layout.offsets[field]
                    kernels.scale(
                        factors[row * fields + field], source + at, output + at, count: layout.widths[field])
                }
            }
        }
        recorder?.record(result, from: x, weights) { [unowned self] gradient in
            let (dx, dw) = (recorder?.gradient(of: x), recorder?.gradient(of: weights))
            eachRows(x.rows, width: 2 * width) { range in
                for row in range {
                    for field in 0..<fields {
                        let (at, place) = (row * width + layout.offsets[field], row * fields + field)
                        let count = layout.widths[field]
                        if let dx { kernels.axpy(factors[place], gradient + at, dx + at, count: count) }
                        if let dw { dw[place] += kernels.dot(gradient + at, source + at, count: count) }
                    }
                }
            }
        }
        return result
    }

    /// The second order of a factorisation machine (Rendle, ICDM 2010): `sum over i < j of <v_i, v_j>`, computed as
    /// half of `|sum v_i|^2 - sum |v_i|^2`.
    ///
    /// - Parameters:
    ///   - x: `[n, k width]`, k fields of one width side by side, each already times its value.
    /// - Returns: `[n, 1]`.
    /// - Complexity: O(n k width).
    public func pairwiseSum(_ x: Tensor, width: Int) -> Tensor {
        precondition(width > 0 && x.columns % width == 0, "\(x.columns) columns in fields of \(width)")
        let result = make(x.rows, 1)
        let sums = make(x.rows, width)
        let (source, totals, output, columns) = (x.values, sums.values, result.values, x.columns)
        eachRows(x.rows, width: columns) { range in
            for row in range {
                let (v, sum) = (source + row * columns, totals + row * width)
                sum.update(repeating: 0, count: width)
                for field in stride(from: 0, to: columns, by: width) { kernels.axpy(1, v + field, sum, count: width) }
                let squares = kernels.dot(v, v, count: columns)
                output[row] = 0.5 * (kernels.dot(sum, sum, count: width) - squares)
            }
        }
        // d/dv_i = sum of the others
        recorder?.record(result, from: x) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: x) else { return }
            eachRows(x.rows, width: 2 * columns) { range in
                for row in range {
                    let (v, dx, sum) = (source + row * columns, target + row * columns, totals + row * width)
                    for field in stride(from: 0, to: columns, by: width) {
                        kernels.axpy(gradient[row], sum, dx + field, count: width)
                    }
                    kernels.axpy(-gradient[row], v, dx, count: columns)
                }
            }
        }
        return result
    }

    /// A vector for each number: `y[:, c width ..< (c + 1) width] = x[:, c] factors[c]`.
    ///
    /// - Parameters:
    ///   - x: `[n, k]`.
    ///   - factors: `[k, width]`.
    /// - Returns: `[n, k width]`, fields of one width.
    public func embedNumbers(_ x: Tensor, factors: DenseParameter) -> Tensor {
        precondition(x.columns == factors.rows, "\(factors.name) has \(factors.rows) rows, found \(x.columns) numbers")
        let (count, width) = (x.columns, factors.columns)
        let result = make(x.rows, count * width)
        let (source, output) = (x.values, result.values)
        eachRows(x.rows, width: count * width) { range in
            for index in range.lowerBound * count..<range.upperBound * count {
                kernels.scale(
                    source[index], factors.values + index % count * width, output + index * width, count: width)
            }
        }
        recorder?.record(result, from: x, isTrained: factors.isTrained) { [unowned self] gradient in
            let dx = recorder?.gradient(of: x)
            for index in 0..<x.count {
                let (dy, number) = (gradient + index * width, index % count)
                if factors.isTrained {
                    kernels.axpy(source[index], dy, factors.gradientSum() + number * width, count: width)
                }
                if let dx { dx[index] += kernels.dot(dy, factors.values + number * width, count: width) }
            }
        }
        return result
    }
}
