import Kernels

extension Workspace {
    /// The inner product of each pair: `y_p = scale q_i . k`.
    ///
    /// - Parameters:
    ///   - queries: `[n, d]`; keys: `[pairs.keys, d]`.
    /// - Returns: `[pairs.count, 1]`.
    public func pairDot(_ queries: Tensor, _ keys: Tensor, _ pairs: AttentionPairs, scale: Float = 1) -> Tensor {
        pairs.check(queries: queries, keys: keys)
        precondition(queries.columns == keys.columns, "queries of \(queries.columns), keys of \(keys.columns) columns")
        let width = queries.columns
        let result = make(pairs.count, 1)
        let (q, k, y) = (queries.values, keys.values, result.values)
        eachRows(pairs.queries, width: width * pairs.average) { range in
            for query in range {
                let own = pairs.range(query)
                kernels.scan(
                    query: q + query * width, rows: k + pairs.firstKey(query) * width, count: own.count, width: width,
                    scores: y + own.lowerBound)
                kernels.scale(scale, y + own.lowerBound, y + own.lowerBound, count: own.count)
            }
        }
        recorder?.record(result, from: queries, keys) { [unowned self] gradient in
            let (dq, dk) = (recorder?.gradient(of: queries), recorder?.gradient(of: keys))
            eachOwner(pairs, width: 2 * width) { range in
                for query in range {
                    var key = pairs.firstKey(query) * width
                    for pair in pairs.range(query) {
                        let factor = scale * gradient[pair]
                        if let dq { kernels.axpy(factor, k + key, dq + query * width, count: width) }
                        if let dk { kernels.axpy(factor, q + query * width, dk + key, count: width) }
                        key += width
                    }
                }
            }
        }
        return result
    }

    /// The softmax over the pairs of each query.
    ///
    /// - Parameter scores: `[pairs.count, 1]`.
    public func pairSoftmax(_ scores: Tensor, _ pairs: AttentionPairs) -> Tensor {
        precondition(scores.rows == pairs.count && scores.columns == 1, "one score for each of \(pairs.count) pairs")
        let result = make(pairs.count, 1)
        let (x, y) = (scores.values, result.values)
        eachRows(pairs.queries, width: 4 * pairs.average) { range in
            for query in range {
                let own = pairs.range(query)
                kernels.softmax(x + own.lowerBound, y + own.lowerBound, count: own.count)
            }
        }
        recorder?.record(result, from: scores) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: scores) else { return }
            eachRows(pairs.queries, width: 4 * pairs.average) { range in
                for query in range {
                    let own = pairs.range(query)
                    let along = kernels.dot(gradient + own.lowerBound, y + own.lowerBound, count: own.count)
                    for pair in own { target[pair] += y[pair] * (gradient[pair] - along) }
                }
            }
        }
        return result
    }

    /// The keys of each query, weighted and summed; zeros for a query without keys.
    ///
    /// - Parameters:
    ///   - weights: `[pairs.count, 1]`; nil for 1 divided by the query's number of keys: the mean.
    ///   - keys: `[pairs.keys, d]`.
    /// - Returns: `[pairs.queries, d]`.
    public func pairSum(_ weights: Tensor?, _ keys: Tensor, _ pairs: AttentionPairs) -> Tensor {
        precondition(keys.rows == pairs.keys, "\(pairs.keys) keys, found \(keys.rows)")
        precondition(weights.map { $0.count == pairs.count } ?? true, "one weight for each of \(pairs.count) pairs")
        let width = keys.columns
        let result = make(pairs.queries, width)
        let (shares, k, y) = (weights?.values, keys.values, result.values)
        let factor = { (query: Int, pair: Int) in shares?[pair] ?? 1 / Float(pairs.range(query).count) }
        eachRows(pairs.queries, width: width * pairs.average) { range in
            for query in range {
                let target = y + query * width
                target.update(repeating: 0, count: width)
                var key = pairs.firstKey(query) * width
                for pair in pairs.range(query) {
                    kernels.axpy(factor(query, pair), k + key, target, count: width)
                    key += width
                }
            }
        }
        recorder?.record(result, from: (weights.map { [$0] } ?? []) + [keys], isTrained: false) {
            [unowned self] gradient in
            let (dw, dk) = (weights.flatMap { recorder?.gradient(of: $0) }, recorder?.gradient(of: keys))
            eachOwner(pairs, width: 2 * width) { range in
                for query in range {
                    let dy = gradient + query * width
                    var key = pairs.firstKey(query) * width
                    for pair in pairs.range(query) {
                        if let dk { kernels.axpy(factor(query, pair), dy, dk + key, count: width) }
                        if let dw { dw[pair] += kernels.dot(dy, k + key, count: width) }
                        key += width
                    }
                }
            }
        }
        return result
    }

    /// Ranges of queries whose backward steps may run side by side: all of them one after the other when they share
    /// their keys, whose gradients they add to.
    private func eachOwner(_ pairs: AttentionPairs, width: Int, _ body: (Range<Int>) -> Void) {
        if pairs.isShared {
            body(0..<pairs.queries)
        } else {
            eachRows(pairs.queries, width: width * pairs.average, body)
        }
    }
}

extension AttentionPairs {
    func check(queries: Tensor, keys: Tensor) {
        precondition(queries.rows == self.queries, "\(self.queries) queries, found \(queries.rows)")
        precondition(keys.rows == self.keys, "\(self.keys) keys, found \(keys.rows)")
    }
}
