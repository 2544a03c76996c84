public import Kernels

/// A dense layer: `y = f(x W + b)`.
public struct Dense: Sendable {
    /// `[inputs, outputs]`.
    public let weight: DenseParameter
    /// `[1, outputs]`.
    public let bias: DenseParameter
    public let activation: Activation

    /// Parameters `<name>.weight` and `<name>.bias`.
    public init(
        _ name: String, inputs: Int, outputs: Int, activation: Activation = .identity, in parameters: ParameterSet
    ) throws(NetworkError) {
        let isRectifier = activation == .relu || activation == .leakyReLU
        weight = try parameters.matrix(
            "\(name).weight", rows: inputs, columns: outputs, initial: isRectifier ? .he : .glorot)
        bias = try parameters.matrix("\(name).bias", rows: 1, columns: outputs, initial: .zeros)
        self.activation = activation
    }

    public var inputs: Int { weight.rows }
    public var outputs: Int { weight.columns }

    /// - Parameter x: `[n, inputs]`.
    /// - Returns: `[n, outputs]`.
    public func callAsFunction(_ x: Tensor, in workspace: Workspace) -> Tensor {
        self([x], in: workspace)
    }

    /// The layer over the concatenation of parts, without making it.
    ///
    /// - Parameter parts: `[n, k_i]`, or `[1, k_i]` for a row that stands beside all n.
    public func callAsFunction(_ parts: [Tensor], in workspace: Workspace) -> Tensor {
        workspace.linear(parts, weight: weight, bias: bias, activation: activation)
    }
}

/// Dense layers one after the other.
public struct MLP: Sendable {
    public let layers: [Dense]
    /// Probability of dropping an input of each layer but the first, in training.
    public let dropout: Float

    /// Layers `<name>.0`, `<name>.1` ... of the given widths.
    ///
    /// - Parameters:
    ///   - widths: outputs of each layer; at least one.
    ///   - last: activation of the last layer.
    public init(
        _ name: String, inputs: Int, widths: [Int], activation: Activation = .relu, last: Activation = .identity,
        dropout: Float = 0, in parameters: ParameterSet
    ) throws(NetworkError) {
        precondition(!widths.isEmpty, "\(name) has no layers")
        var layers: [Dense] = []
        for (index, width) in widths.enumerated() {
            layers.append(
                try Dense(
                    "\(name).\(index)", inputs: layers.last?.outputs ?? inputs, outputs: width,
                    activation: index == widths.count - 1 ? last : activation, in: parameters))
        }
        self.layers = layers
        self.dropout = dropout
    }

    public var inputs: Int { layers.first?.inputs ?? 0 }
    public var outputs: Int { layers.last?.outputs ?? 0 }

    public func callAsFunction(_ x: Tensor, in workspace: Workspace) -> Tensor {
        self([x], in: workspace)
    }

    /// The layers over the concatenation of parts; see `Dense`.
    public func callAsFunction(_ parts: [Tensor], in workspace: Workspace) -> Tensor {
        guard let first = layers.first else { preconditionFailure("an MLP has layers") }
        return layers.dropFirst().reduce(first(parts, in: workspace)) { x, layer in
            layer(workspace.dropout(x, probability: dropout), in: workspace)
        }
    }
}

/// Layer normalisation with its parameters `<name>.scale` and `<name>.shift`.
public struct LayerNorm: Sendable {
    public let scale: DenseParameter
    public let shift: DenseParameter

    public init(_ name: String, width: Int, in parameters: ParameterSet) throws(NetworkError) {
        scale = try parameters.matrix("\(name).scale", rows: 1, columns: width, initial: .ones)
        shift = try parameters.matrix("\(name).shift", rows: 1, columns: width, initial: .zeros)
    }

    public func callAsFunction(_ x: Tensor, in workspace: Workspace) -> Tensor {
        workspace.layerNorm(x, scale: scale, shift: shift)
    }
}
