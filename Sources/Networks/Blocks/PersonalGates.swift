import Kernels

/// Personal gates of hidden layers (LHUC; PPNet of Chang et al., KDD 2023): features of the user go through a small net for
/// each layer that ends in 2 sigmoid, in 0...2; its outputs multiply the layer's, element by element.
public struct PersonalGates: Sendable {
    private let hidden: Dense
    private let gates: [Dense]

    /// Layers `<name>.hidden` and, for the hidden layers of the main net, `<name>.0`, `<name>.1` ...
    ///
    /// - Parameter widths: outputs of the layers that are gated.
    public init(
        _ name: String, inputs: Int, hidden width: Int, widths: [Int], in parameters: ParameterSet
    ) throws(NetworkError) {
        hidden = try Dense("\(name).hidden", inputs: inputs, outputs: width, activation: .relu, in: parameters)
        var gates: [Dense] = []
        for (index, outputs) in widths.enumerated() {
            gates.append(
                try Dense(
                    "\(name).\(index)", inputs: width, outputs: outputs, activation: .twiceSigmoid, in: parameters))
        }
        self.gates = gates
    }

    /// - Parameter x: `[n, inputs]`.
    /// - Returns: `[n, width]` for each gated layer.
    public func callAsFunction(_ x: [Tensor], in workspace: Workspace) -> [Tensor] {
        let state = hidden(x, in: workspace)
        return gates.map { $0(state, in: workspace) }
    }

    public var operations: Int {
        gates.reduce(hidden.operations) { $0 + $1.operations + $1.outputs }
    }
}

extension MLP {
    /// The layers over the concatenation of parts, each output times its gate.
    ///
    /// - Parameter gates: `[n, outputs]` for the first layers, as many as there are.
    public func callAsFunction(_ parts: [Tensor], gates: [Tensor], in workspace: Workspace) -> Tensor {
        precondition(gates.count <= layers.count, "\(gates.count) gates for \(layers.count) layers")
        var state = parts
        for (index, layer) in layers.enumerated() {
            if index > 0 { state = [workspace.dropout(state[0], probability: dropout)] }
            let output = layer(state, in: workspace)
            state = [index < gates.count ? workspace.multiply(output, gates[index]) : output]
        }
        return state[0]
    }
}
