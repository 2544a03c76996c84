import Kernels

extension Tape {
    /// The mean over rows of the negative log-likelihood of mixtures of sequences: row i has J alternatives, each a
    /// choice from every one of D softmaxes, `-log sum_j prod_d softmax(logits_d[row])[targets_d[i J + j]]`.
    ///
    /// That is the loss of an item that several paths lead to (Gao et al., "Deep Retrieval", 2020, equation 2).
    /// - Parameters:
    ///   - logits: D tensors, `[n, k_d]` for a softmax that a row's alternatives share, else `[n J, k_d]`.
    ///   - targets: D lists of `[n J]` columns below k_d.
    ///   - alternatives: J, at least 1.
    /// - Returns: `[1, 1]`; 0 for no rows.
    /// - Complexity: O(elements of the logits).
    public func mixtureCrossEntropy(_ logits: [Tensor], targets: [[UInt32]], alternatives: Int) -> Tensor {
        let mixture = Mixture(logits, targets: targets, alternatives: alternatives)
        let probabilities = logits.map { make($0.rows, $0.columns) }
        // Log-likelihood of each alternative; then its share of the row's likelihood.
        let shares = make(mixture.rows, alternatives)
        let losses = make(mixture.rows, 1)
        eachRows(mixture.rows, width: mixture.width) { range in
            for row in range { losses.values[row] = mixture.loss(row, probabilities, shares.values) }
        }
        let result = make(1, 1)
        let scale = 1 / Float(max(1, mixture.rows))
        result.values[0] = scale * kernels.sum(losses.values, count: mixture.rows)
        record(result, from: logits, isTrained: false) { [unowned self] gradient in
            let factor = gradient[0] * scale
            eachRows(mixture.rows, width: mixture.width) { range in
                for row in range { mixture.makeGradient(row, probabilities, shares.values, factor: factor) }
            }
            for (tensor, gradient) in zip(logits, probabilities) {
                addGradient(consuming: gradient.values, to: tensor)
            }
        }
        return result
    }
}

/// The arithmetic of one row of ``Tape/mixtureCrossEntropy(_:targets:alternatives:)``.
private struct Mixture {
    let logits: [Tensor]
    let targets: [[UInt32]]
    let alternatives: Int
    let rows: Int

    init(_ logits: [Tensor], targets: [[UInt32]], alternatives: Int) {
        precondition(alternatives > 0 && !logits.isEmpty && logits.count == targets.count, "a softmax has targets")
        let entries = targets[0].count
        precondition(entries % alternatives == 0, "\(entries) targets in groups of \(alternatives)")
        rows = entries / alternatives
        for (tensor, columns) in zip(logits, targets) {
            precondition(columns.count == entries, "every softmax has \(entries) targets, found \(columns.count)")
            precondition(tensor.rows == rows || tensor.rows == entries, "\(tensor.rows) rows for \(entries) targets")
            precondition(columns.allSatisfy { Int($0) < tensor.columns }, "a target is a column")
        }
        self.logits = logits
        self.targets = targets
        self.alternatives = alternatives
    }

    /// Elements touched per row, for dividing the work.
    var width: Int { 4 * logits.reduce(0) { $0 + $1.columns * $1.rows } / max(1, rows) }

    /// The row of `logits[factor]` that alternative j of a row reads.
    private func place(_ factor: Int, _ row: Int, _ alternative: Int) -> Int {
        logits[factor].rows == rows ? row : row * alternatives + alternative
    }

    /// Rows of `logits[factor]` that belong to a row.
    private func places(_ factor: Int, _ row: Int) -> Range<Int> {
        let count = logits[factor].rows == rows ? 1 : alternatives
        return row * count..<(row + 1) * count
    }

    /// Fills the row's softmaxes and shares; returns its loss.
    func loss(_ row: Int, _ probabilities: [Tensor], _ shares: UnsafeMutablePointer<Float>) -> Float {
        let likelihoods = shares + row * alternatives
        likelihoods.update(repeating: 0, count: alternatives)
        for factor in logits.indices {
            let columns = logits[factor].columns
            var total: Float = 0
            for place in places(factor, row) {
                let at = place * columns
                total = kernels.softmax(
                    logits[factor].values + at, probabilities[factor].values + at, count: columns)
                if logits[factor].rows != rows {
                    let alternative = place - row * alternatives
                    likelihoods[alternative] += logits[factor].values[at + target(factor, row, alternative)] - total
                }
            }
            guard logits[factor].rows == rows else { continue }
            for alternative in 0..<alternatives {
                likelihoods[alternative] +=
                    logits[factor].values[row * columns + target(factor, row, alternative)] - total
            }
        }
        return -kernels.softmax(likelihoods, likelihoods, count: alternatives)
    }

    /// Turns the row's probabilities into the gradient: factor * share * (softmax - onehot), summed over the alternatives
    /// that share a softmax.
    func makeGradient(
        _ row: Int, _ probabilities: [Tensor], _ shares: UnsafeMutablePointer<Float>, factor scale: Float
    ) {
        for factor in logits.indices {
            let columns = logits[factor].columns
            let isShared = logits[factor].rows == rows
            for place in places(factor, row) {
                // The shares sum to 1 over the alternatives.
                let weight = isShared ? 1 : shares[place]
                let gradient = probabilities[factor].values + place * columns
                kernels.scale(scale * weight, gradient, gradient, count: columns)
            }
            for alternative in 0..<alternatives {
                let at = place(factor, row, alternative) * columns + target(factor, row, alternative)
                probabilities[factor].values[at] -= scale * shares[row * alternatives + alternative]
            }
        }
    }

    private func target(_ factor: Int, _ row: Int, _ alternative: Int) -> Int {
        Int(targets[factor][row * alternatives + alternative])
    }
}
