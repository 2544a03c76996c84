/// The cross network of DCN V2 (Wang et al., WWW 2021): `x_{l+1} = x_0 * (x_l W_l + b_l) + x_l`.
public struct CrossNet: Sendable {
    private let layers: [Layer]

    private struct Layer: Sendable {
        /// V of W = V U, `[width, rank]`; nil when W is full.
        var reduction: DenseParameter?
        /// W `[width, width]`, or U `[rank, width]`.
        var weight: DenseParameter
        var bias: DenseParameter
    }

    /// Parameters `<name>.<layer>.weight` and `.bias`, with a rank also `.reduction`.
    ///
    /// - Parameter rank: W is the product of `[width, rank]` and `[rank, width]`; nil for a full W.
    public init(
        _ name: String, width: Int, layers: Int, rank: Int? = nil, in parameters: ParameterSet
    ) throws(NetworkError) {
        precondition(layers > 0 && (rank ?? 1) > 0, "\(name): layers and rank are positive")
        var made: [Layer] = []
        for index in 0..<layers {
            var reduction: DenseParameter?
            if let rank {
                reduction = try parameters.matrix(
                    "\(name).\(index).reduction", rows: width, columns: rank, initial: .glorot)
            }
            let weight = try parameters.matrix(
                "\(name).\(index).weight", rows: rank ?? width, columns: width, initial: .glorot)
            let bias = try parameters.matrix("\(name).\(index).bias", rows: 1, columns: width, initial: .zeros)
            made.append(Layer(reduction: reduction, weight: weight, bias: bias))
        }
        self.layers = made
    }

    /// - Parameter x: `[n, width]`.
    /// - Returns: `[n, width]`.
    public func callAsFunction(_ x: Tensor, in workspace: Workspace) -> Tensor {
        layers.reduce(x) { state, layer in
            let inner = layer.reduction.map { workspace.linear([state], weight: $0, bias: nil) } ?? state
            let crossed = workspace.linear([inner], weight: layer.weight, bias: layer.bias)
            return workspace.multiplyAdd(x, crossed, state)
        }
    }

    /// Floating-point operations for a row.
    public var operations: Int {
        layers.reduce(0) { $0 + 2 * (($1.reduction?.count ?? 0) + $1.weight.count) + 3 * $1.bias.count }
    }
}
