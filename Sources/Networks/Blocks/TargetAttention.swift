import Kernels

/// Attention of a candidate over a history of behaviours.
///
/// Keys may be wider than queries: what only the history has, its age, follows the columns that are compared.
public struct TargetAttention: Sendable {
    /// How pairs are weighed.
    public enum Form: String, Sendable, Hashable, Codable, CaseIterable {
        /// DIN (Zhou et al., KDD 2018): layers over `[q, k, q - k, q * k]`, the weights as they come, not normalised: their
        /// sum tells how strong the interest is.
        case layers
        /// `softmax(q A . k B / sqrt(h))`.
        case dot
    }

    private enum Weights: Sendable {
        case layers(first: Dense, rest: MLP)
        case dot(query: DenseParameter, key: DenseParameter)
    }

    public let width: Int
    public let keyWidth: Int
    private let weights: Weights

    /// Parameters `<name>.0` and following, or `<name>.query` and `<name>.key`.
    ///
    /// - Parameters:
    ///   - width: Columns of a query, compared with as many of a key.
    ///   - extra: Columns of a key beyond these.
    ///   - hidden: Outputs of the hidden layers; for `dot`, the first is the width in which queries and keys meet.
    public init(
        _ name: String, form: Form, width: Int, extra: Int = 0, hidden: [Int] = [36], in parameters: ParameterSet
    ) throws(NetworkError) {
        precondition(width > 0 && extra >= 0, "\(name): widths are positive")
        guard let first = hidden.first else { preconditionFailure("\(name) has no hidden layer") }
        self.width = width
        keyWidth = width + extra
        switch form {
        case .layers:
            weights = .layers(
                first: try Dense(
                    "\(name).0", inputs: 4 * width + extra, outputs: first, activation: .relu, in: parameters),
                rest: try MLP(
                    "\(name).out", inputs: first, widths: hidden.dropFirst() + [1], in: parameters))
        case .dot:
            weights = .dot(
                query: try parameters.matrix("\(name).query", rows: width, columns: first, initial: .glorot),
                key: try parameters.matrix("\(name).key", rows: keyWidth, columns: first, initial: .glorot))
        }
    }

    /// The weight of each pair.
    ///
    /// - Parameters:
    ///   - queries: `[n, width]`; keys: `[pairs.keys, keyWidth]`.
    /// - Returns: `[pairs.count, 1]`.
    public func weights(
        _ queries: Tensor, _ keys: Tensor, _ pairs: AttentionPairs, in workspace: Workspace
    ) -> Tensor {
        switch weights {
        case .layers(let first, let rest):
            return rest(
                workspace.pairLinear(
                    queries, keys, pairs, weight: first.weight, bias: first.bias, activation: first.activation),
                in: workspace)
        case .dot(let query, let key):
            let scores = workspace.pairDot(
                workspace.linear([queries], weight: query, bias: nil), workspace.linear([keys], weight: key, bias: nil),
                pairs, scale: 1 / Float(key.columns).squareRoot())
            return workspace.pairSoftmax(scores, pairs)
        }
    }

    /// The keys weighted and summed: `[n, keyWidth]`; zeros for a query without keys.
    public func callAsFunction(
        _ queries: Tensor, _ keys: Tensor, _ pairs: AttentionPairs, in workspace: Workspace
    ) -> Tensor {
        workspace.pairSum(weights(queries, keys, pairs, in: workspace), keys, pairs)
    }

    /// Floating-point operations for one candidate before so many keys.
    public func operations(keys: Int) -> Int {
        let summing = 2 * keyWidth * keys
        switch weights {
        case .layers(let first, let rest):
            // Its row of the queries' product and its own matrix M, then one product of the keys' width for each pair.
            let own = 4 * width * first.outputs
            return summing + own + keys * (2 * keyWidth * first.outputs + first.outputs + rest.operations)
        case .dot(let query, let key):
            return summing + 2 * query.count + keys * (2 * key.columns + Workspace.exponentialOperations)
        }
    }
}
