public import Kernels

extension Workspace {
    /// The first layer of DIN's attention (Zhou et al., KDD 2018) over `[q, k, q - k, q * k, r]` for each pair, factorised.
    ///
    /// With W = [Wq; Wk; Wd; Wp; Wr] the layer is `q (Wq + Wd) + b + [k, r] M`, M = [Wk - Wd + diag(q) Wp; Wr]: one product
    /// of width d for each pair instead of one of 4d, and nothing concatenated. The sums of weights are the layer's, not
    /// an approximation.
    ///
    /// - Parameters:
    ///   - queries: q, `[n, d]`.
    ///   - keys: `[pairs.keys, d + e]`; the first d columns are k, the rest r is what only keys have (their age).
    ///   - weight: `[4 d + e, m]`; bias: `[1, m]`.
    /// - Returns: `[pairs.count, m]`.
    /// - Complexity: O(pairs (d + e) m).
    public func pairLinear(
        _ queries: Tensor, _ keys: Tensor, _ pairs: AttentionPairs, weight: DenseParameter, bias: DenseParameter,
        activation: Activation = .identity
    ) -> Tensor {
        pairs.check(queries: queries, keys: keys)
        let layer = PairLayer(weight: weight, width: queries.columns, keyWidth: keys.columns)
        precondition(bias.count == weight.columns, "\(weight.name) and its bias differ in outputs")
        let outputs = weight.columns
        let own = make(queries.rows, outputs)
        let sums = make(2, layer.width * outputs)
        layer.addUp(query: sums.values, key: sums.values + layer.width * outputs)
        kernels.multiply(
            queries.operand, layer.operand(sums.values, layer.width), bias: bias.values, into: own.values,
            threads: threads)
        let result = make(pairs.count, outputs)
        eachRows(pairs.queries, width: layer.keyWidth * outputs * pairs.average) { range in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: layer.keyWidth * outputs) { scratch in
                guard let mixed = scratch.baseAddress else { return }
                for query in range where !pairs.range(query).isEmpty {
                    layer.mix(queries.values + query * layer.width, sums.values + layer.width * outputs, mixed)
                    kernels.multiply(
                        layer.keys(of: query, keys, pairs), layer.operand(mixed, layer.keyWidth),
                        bias: own.values + query * outputs, activation: activation,
                        into: result.values + pairs.range(query).lowerBound * outputs)
                }
            }
        }
        recorder?.record(
            result, from: queries, keys, isTrained: weight.isTrained || bias.isTrained
        ) { [unowned self] gradient in
            eachRows(pairs.count, width: outputs) { range in
                let at = range.lowerBound * outputs
                if activation != .identity {
                    kernels.activateGradient(
                        activation, output: result.values + at, gradient: gradient + at, gradient + at,
                        count: range.count * outputs)
                }
            }
            pairLinearBackward(layer, queries, keys, pairs, bias, sums, gradient)
        }
        return result
    }

    /// Queries whose contributions to the weights are added up before they join the others: the same blocks, and so the
    /// same sums, for any number of threads.
    private static let block = 32

    /// With dz a pair's gradient and G_i = [k, r]^T dz over the pairs of query i: dM = G_i, so that dWk - dWd and dWr gather
    /// G_i and dWp gathers diag(q_i) G_i; dq_i has row sums of G_i * Wp, and d[k, r] = dz M^T.
    private func pairLinearBackward(
        _ layer: PairLayer, _ queries: Tensor, _ keys: Tensor, _ pairs: AttentionPairs, _ bias: DenseParameter,
        _ sums: Tensor, _ gradient: UnsafeMutablePointer<Float>
    ) {
        let (d, outputs) = (layer.width, layer.outputs)
        let dq = recorder?.gradient(of: queries)
        let dk = recorder?.gradient(of: keys)
        let blocks = (pairs.queries + Workspace.block - 1) / Workspace.block
        let size = (layer.keyWidth + d) * outputs
        let partial = arena.zeros(blocks * size)
        let ownGradient = arena.zeros(queries.rows * outputs)
        let body = { (range: Range<Int>) in
            let scratch = UnsafeMutablePointer<Float>.allocate(capacity: 2 * layer.keyWidth * outputs)
            defer { scratch.deallocate() }
            let part = PairGradient(
                layer: layer, queries: queries, keys: keys, pairs: pairs, gradient: gradient,
                keySums: sums.values + d * outputs, scratch: scratch)
            for block in range {
                let target = partial + block * size
                for query in block * Workspace.block..<min(pairs.queries, (block + 1) * Workspace.block)
                where !pairs.range(query).isEmpty {
                    part.add(query, weights: target, own: ownGradient + query * outputs, dq: dq, dk: dk)
                }
            }
        }
        // Shared keys get their gradient from every query.
        if pairs.isShared && dk != nil { body(0..<blocks) } else { threads.divide(blocks, grain: 1, body) }
        for block in 1..<max(1, blocks) { kernels.axpy(1, partial + block * size, partial, count: size) }
        if layer.weight.isTrained, blocks > 0 { layer.addGradient(partial) }
        let dOwn = MatrixOperand(
            UnsafeBufferPointer(start: ownGradient, count: queries.rows * outputs), rows: queries.rows,
            columns: outputs)
        if bias.isTrained {
            for row in 0..<queries.rows {
                kernels.axpy(1, ownGradient + row * outputs, bias.gradientSum(), count: outputs)
            }
        }
        if layer.weight.isTrained { layer.addQueryGradient(queries, dOwn, threads, arena.take(d * outputs)) }
        if let dq {
            kernels.multiply(
                dOwn, layer.operand(sums.values, d).transposed, accumulate: true, into: dq, threads: threads)
        }
    }
}

/// The pieces of the weights of `pairLinear`, `[4 d + e, m]`.
struct PairLayer {
    let weight: DenseParameter
    /// d.
    let width: Int
    /// d + e.
    let keyWidth: Int

    init(weight: DenseParameter, width: Int, keyWidth: Int) {
        precondition(
            keyWidth >= width && weight.rows == 3 * width + keyWidth,
            "\(weight.name) has \(weight.rows) inputs, found queries of \(width) and keys of \(keyWidth)")
        self.weight = weight
        self.width = width
        self.keyWidth = keyWidth
    }

    var outputs: Int { weight.columns }
    private var size: Int { width * outputs }
    /// Wp.
    var product: UnsafePointer<Float> { weight.values + 3 * size }

    /// Wq + Wd and Wk - Wd.
    func addUp(query: UnsafeMutablePointer<Float>, key: UnsafeMutablePointer<Float>) {
        query.update(from: weight.values, count: size)
        kernels.axpy(1, weight.values + 2 * size, query, count: size)
        key.update(from: weight.values + size, count: size)
        kernels.axpy(-1, weight.values + 2 * size, key, count: size)
    }

    /// M = [Wk - Wd + diag(q) Wp; Wr], `[d + e, m]`.
    func mix(_ query: UnsafePointer<Float>, _ keySums: UnsafePointer<Float>, _ mixed: UnsafeMutablePointer<Float>) {
        mixed.update(from: keySums, count: size)
        for row in 0..<width {
            kernels.axpy(query[row], product + row * outputs, mixed + row * outputs, count: outputs)
        }
        (mixed + size).update(from: weight.values + 4 * size, count: (keyWidth - width) * outputs)
    }

    func operand(_ values: UnsafePointer<Float>, _ rows: Int) -> MatrixOperand {
        MatrixOperand(UnsafeBufferPointer(start: values, count: rows * outputs), rows: rows, columns: outputs)
    }

    /// The keys of one query, `[pairs of it, d + e]`.
    func keys(of query: Int, _ keys: Tensor, _ pairs: AttentionPairs) -> MatrixOperand {
        let count = pairs.range(query).count
        let first = keys.values + pairs.firstKey(query) * keyWidth
        return MatrixOperand(
            UnsafeBufferPointer(start: first, count: count * keyWidth), rows: count, columns: keyWidth)
    }

    /// Adds the gradient by way of the keys: `[d + e, m]` of M, then `[d, m]` of Wp.
    func addGradient(_ sums: UnsafePointer<Float>) {
        let target = weight.gradientSum()
        kernels.axpy(1, sums, target + size, count: size)
        kernels.axpy(-1, sums, target + 2 * size, count: size)
        kernels.axpy(1, sums + keyWidth * outputs, target + 3 * size, count: size)
        kernels.axpy(1, sums + size, target + 4 * size, count: (keyWidth - width) * outputs)
    }

    /// Adds the gradient by way of the queries: q^T dOwn to Wq and to Wd.
    func addQueryGradient(
        _ queries: Tensor, _ dOwn: MatrixOperand, _ threads: Threads, _ scratch: UnsafeMutablePointer<Float>
    ) {
        kernels.multiply(queries.operand.transposed, dOwn, into: scratch, threads: threads)
        let target = weight.gradientSum()
        kernels.axpy(1, scratch, target, count: size)
        kernels.axpy(1, scratch, target + 2 * size, count: size)
    }
}

/// The backward step of `pairLinear` for the pairs of one query after the other.
private struct PairGradient {
    let layer: PairLayer
    let queries: Tensor
    let keys: Tensor
    let pairs: AttentionPairs
    let gradient: UnsafeMutablePointer<Float>
    let keySums: UnsafePointer<Float>
    /// `[2, (d + e) m]`.
    let scratch: UnsafeMutablePointer<Float>

    /// - Parameters:
    ///   - weights: `[d + e, m]` then `[d, m]`, added to.
    ///   - own: `[m]`, overwritten with the sum of the pairs' gradients.
    ///   - dq, dk: gradients of all queries and keys, added to.
    func add(
        _ query: Int, weights: UnsafeMutablePointer<Float>, own: UnsafeMutablePointer<Float>,
        dq: UnsafeMutablePointer<Float>?, dk: UnsafeMutablePointer<Float>?
    ) {
        let (d, m, keyWidth) = (layer.width, layer.outputs, layer.keyWidth)
        let range = pairs.range(query)
        let first = gradient + range.lowerBound * m
        let dz = MatrixOperand(
            UnsafeBufferPointer(start: first, count: range.count * m), rows: range.count, columns: m)
        for pair in 0..<range.count { kernels.axpy(1, first + pair * m, own, count: m) }
        let g = scratch
        kernels.multiply(layer.keys(of: query, keys, pairs).transposed, dz, into: g)
        kernels.axpy(1, g, weights, count: keyWidth * m)
        let q = queries.values + query * d
        for row in 0..<d {
            kernels.axpy(q[row], g + row * m, weights + (keyWidth + row) * m, count: m)
            if let dq { dq[query * d + row] += kernels.dot(g + row * m, layer.product + row * m, count: m) }
        }
        guard let dk else { return }
        let mixed = scratch + keyWidth * m
        layer.mix(q, keySums, mixed)
        kernels.multiply(
            dz, layer.operand(mixed, keyWidth).transposed, accumulate: true,
            into: dk + pairs.firstKey(query) * keyWidth)
    }
}
