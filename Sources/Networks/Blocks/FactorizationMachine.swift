import Kernels

/// The numbers of a factorisation machine (Rendle, ICDM 2010): `b + sum w_i x_i + sum over i < j of <v_i, v_j> x_i x_j`.
///
/// Categorical fields come as rows of tables (x_i = 1): their v_i side by side, their w_i summed. Numbers have their
/// v_i and w_i here.
public struct FactorizationMachine: Sendable {
    private let bias: DenseParameter
    /// w of the numbers, `[k, 1]`; nil without numbers.
    private let weights: DenseParameter?
    /// v of the numbers, `[k, width]`; nil without numbers or second order.
    private let factors: DenseParameter?
    public let width: Int?
    private let numbers: Int

    /// Parameters `<name>.bias`, and for numbers `<name>.weights` and `<name>.factors`.
    ///
    /// - Parameters:
    ///   - width: Columns of every v; nil leaves the second order out: logistic regression.
    ///   - numbers: Numeric inputs.
    public init(
        _ name: String, width: Int?, numbers: Int, in parameters: ParameterSet
    ) throws(NetworkError) {
        bias = try parameters.matrix("\(name).bias", rows: 1, columns: 1, initial: .zeros)
        var (weights, factors): (DenseParameter?, DenseParameter?)
        if numbers > 0 {
            weights = try parameters.matrix("\(name).weights", rows: numbers, columns: 1, initial: .zeros)
            if let width {
                factors = try parameters.matrix(
                    "\(name).factors", rows: numbers, columns: width, initial: .normal(deviation: 0.05))
            }
        }
        self.width = width
        self.numbers = numbers
        (self.weights, self.factors) = (weights, factors)
    }

    /// - Parameters:
    ///   - linear: w_i of the categorical fields, `[n, 1]` each.
    ///   - fields: v_i of the categorical fields, `[n, width]` each.
    ///   - numbers: x of the numeric inputs, `[n, k]`; nil when there are none.
    /// - Returns: `[n, 1]`.
    public func callAsFunction(
        linear: [Tensor], fields: [Tensor], numbers x: Tensor?, in workspace: Workspace
    ) -> Tensor {
        precondition((x?.columns ?? 0) == numbers, "\(numbers) numbers, found \(x?.columns ?? 0)")
        var result = workspace.sumColumns(linear + (x.map { [$0] } ?? []), weights: weights, bias: bias)
        guard let width else { return result }
        var vectors = fields
        if let x, let factors { vectors.append(workspace.embedNumbers(x, factors: factors)) }
        if vectors.reduce(0, { $0 + $1.columns }) > width {
            result = workspace.add(
                result,
                workspace.pairwiseSum(vectors.count == 1 ? vectors[0] : workspace.concatenate(vectors), width: width))
        }
        return result
    }

    /// Floating-point operations for a row of so many categorical fields.
    public func operations(fields: Int) -> Int {
        fields + 2 * numbers + (width.map { 4 * $0 * (fields + numbers) + numbers * $0 + 3 * $0 } ?? 0)
    }
}

extension Workspace {
    /// `b + sum of ones + x . weights`: all parts but the last, of one column, count as they are, the last by the weights
    /// when there are any.
    func sumColumns(_ parts: [Tensor], weights: DenseParameter?, bias: DenseParameter) -> Tensor {
        var plain = parts
        let weighted = weights == nil ? nil : plain.popLast()
        guard let rows = (weighted ?? plain.first)?.rows else { preconditionFailure("a sum has parts") }
        var result = make(rows, 1)
        if let weighted, let weights {
            result = linear([weighted], weight: weights, bias: bias)
        } else {
            for row in 0..<rows { result.values[row] = bias.values[0] }
            let start = result
            recorder?.record(start, isTrained: bias.isTrained) { gradient in
                bias.gradientSum()[0] += kernels.sum(gradient, count: rows)
            }
        }
        return plain.reduce(result) { add($0, $1) }
    }
}
