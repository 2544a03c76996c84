public import Features
public import Networks

extension TwoTowerModel {
    /// The loss that the specification names, mean over the batch's clicks, or over its pairs.
    ///
    /// - Returns: `[1, 1]`.
    public func loss(_ batch: TwoTowerBatch, on tape: Tape) -> Tensor {
        let users = users(batch.users, in: tape)
        let items = items(batch.items, in: tape)
        switch specification.training.loss {
        case .listwise:
            return batch.isInBatch && batch.ownCount == 0
                ? inBatch(users, items, batch, on: tape) : listwise(users, items, batch, on: tape)
        case .pointwise, .hinge, .logistic: return pairs(users, items, batch, on: tape)
        }
    }

    /// How badly two views of the same items tell them from each other (Yao et al., CIKM 2021): the mean over i of
    /// -log(exp(cos(b'_i, b''_i) / tau) / sum over j of exp(cos(b'_i, b''_j) / tau)); an item drawn twice does not stand
    /// against itself.
    ///
    /// - Parameter identities: `[n]`, the items.
    /// - Returns: `[1, 1]`.
    public func selfSupervisedLoss(
        _ first: ItemInputs, _ second: ItemInputs, identities: [UInt32], on tape: Tape
    ) -> Tensor {
        let cosines = tape.product(items(first, in: tape), transposed: items(second, in: tape))
        return tape.softmaxCrossEntropy(
            tape.scale(cosines, by: 1 / specification.training.selfSupervised.temperature),
            correction: SoftmaxCorrection(identities: identities.map(UInt64.init)))
    }

    /// Softmax cross-entropy of each user's clicked item against all items of the batch: logits
    /// cos(a_i, b_j) / tau - log p_j, where an item does not stand against itself.
    private func inBatch(_ users: Tensor, _ items: Tensor, _ batch: TwoTowerBatch, on tape: Tape) -> Tensor {
        let cosines = tape.product(users, transposed: items)
        return tape.softmaxCrossEntropy(
            tape.scale(cosines, by: 1 / specification.temperature),
            correction: SoftmaxCorrection(
                logProbabilities: batch.logProbabilities, identities: batch.items.items.map(UInt64.init)))
    }

    /// The same, against what the batch says: others' clicked items or not, shared ones, the user's own.
    private func listwise(_ users: Tensor, _ items: Tensor, _ batch: TwoTowerBatch, on tape: Tape) -> Tensor {
        let count = batch.count
        let columns = batch.isInBatch ? 0..<count + batch.shared : count..<count + batch.shared
        var parts: [Tensor] = []
        if !batch.isInBatch { parts.append(tape.rowDot(users, tape.rows(items, (0..<count).map(UInt32.init)))) }
        if !columns.isEmpty {
            parts.append(tape.product(users, transposed: tape.rows(items, columns.map(UInt32.init))))
        }
        for place in 0..<batch.ownCount {
            parts.append(tape.rowDot(users, tape.rows(items, batch.own(place).map { $0 ?? 0 })))
        }
        let cosines = parts.count == 1 ? parts[0] : tape.concatenate(parts)
        let logits = tape.add(
            tape.scale(cosines, by: 1 / specification.temperature),
            offsets(batch, columns, width: cosines.columns, tape))
        return tape.softmaxCrossEntropy(
            logits, targets: batch.isInBatch ? nil : Array(repeating: 0, count: count))
    }

    /// What is added to the logits: -log p_j and the weights; minus infinity for what does not stand against the user.
    private func offsets(_ batch: TwoTowerBatch, _ columns: Range<Int>, width: Int, _ tape: Tape) -> Tensor {
        let identities = batch.items.items
        let shift = batch.isInBatch ? 0 : 1
        let logs = batch.logProbabilities
        return tape.input(rows: batch.count, columns: width) { values in
            for row in 0..<batch.count {
                let at = row * width
                if !batch.isInBatch { values[at] = logs.isEmpty ? 0 : -logs[row] }
                for (place, column) in columns.enumerated() {
                    let isSame = identities[column] == identities[row] && column != row
                    values[at + shift + place] = isSame ? -.infinity : logs.isEmpty ? 0 : -logs[column]
                }
                for place in 0..<batch.ownCount {
                    let own = row * batch.ownCount + place
                    guard let item = batch.own[own].map(Int.init), identities[item] != identities[row] else {
                        values[at + shift + columns.count + place] = -.infinity
                        continue
                    }
                    values[at + shift + columns.count + place] =
                        (logs.isEmpty ? 0 : -logs[item]) + (batch.ownLogWeights.isEmpty ? 0 : batch.ownLogWeights[own])
                }
            }
        }
    }

    /// Pointwise and pairwise: each click with each of its own negatives; the mean over all.
    private func pairs(_ users: Tensor, _ items: Tensor, _ batch: TwoTowerBatch, on tape: Tape) -> Tensor {
        let training = specification.training
        let positives = tape.rowDot(users, tape.rows(items, (0..<batch.count).map(UInt32.init)))
        var terms: [(loss: Tensor, count: Float)] = []
        if training.loss == .pointwise {
            let logits = tape.scale(positives, by: 1 / specification.temperature)
            let labels = [Float](repeating: 1, count: batch.count)
            terms.append((tape.sigmoidCrossEntropy(logits, labels: labels), Float(batch.count)))
        }
        for place in 0..<batch.ownCount {
            let own = batch.own(place)
            let negatives = tape.rowDot(users, tape.rows(items, own.map { $0 ?? 0 }))
            let weights = weights(own, batch)
            terms.append(
                (pairLoss(positives, negatives, weights, training, on: tape), weights.reduce(0, +)))
        }
        let total = terms.reduce(0) { $0 + $1.count }
        guard total > 0, let first = terms.first else { return tape.input([0], columns: 1) }
        return terms.dropFirst().reduce(tape.scale(first.loss, by: first.count / total)) { sum, term in
            tape.add(sum, tape.scale(term.loss, by: term.count / total))
        }
    }

    private func pairLoss(
        _ positives: Tensor, _ negatives: Tensor, _ weights: [Float], _ training: TwoTowerTrainingSpecification,
        on tape: Tape
    ) -> Tensor {
        let zeros = [Float](repeating: 0, count: weights.count)
        if training.loss == .pointwise {
            let logits = tape.scale(negatives, by: 1 / specification.temperature)
            return tape.sigmoidCrossEntropy(logits, labels: zeros, weights: weights)
        }
        let differences = tape.add(negatives, tape.scale(positives, by: -1))
        if training.loss == .hinge {
            return tape.hingeLoss(differences, margin: training.margin, weights: weights)
        }
        // log(1 + exp(z)) is the cross-entropy of z with 0.
        return tape.sigmoidCrossEntropy(
            tape.scale(differences, by: training.sigma), labels: zeros, weights: weights)
    }

    /// 1 where there is a negative, and it is another item than the one that was clicked.
    private func weights(_ own: [UInt32?], _ batch: TwoTowerBatch) -> [Float] {
        own.enumerated().map { row, item in
            guard let item else { return 0 }
            return batch.items.items[Int(item)] == batch.items.items[row] ? 0 : 1
        }
    }
}
