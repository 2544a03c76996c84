public import Blobs
public import Kernels

/// The trained values of a dense layer, `y = f(x W + b)`.
public struct LayerWeights: Sendable {
    public let inputs: Int
    public let outputs: Int
    /// `[inputs, outputs]`, row-major.
    public let weight: SharedBuffer<Float>
    /// `[outputs]`.
    public let bias: SharedBuffer<Float>
    public var activation: Activation

    public init(
        inputs: Int, outputs: Int, weight: SharedBuffer<Float>, bias: SharedBuffer<Float>,
        activation: Activation = .identity
    ) {
        precondition(
            inputs >= 0 && outputs > 0 && weight.count == inputs * outputs && bias.count == outputs,
            "[\(inputs), \(outputs)] with \(weight.count) weights and \(bias.count) biases")
        self.inputs = inputs
        self.outputs = outputs
        self.weight = weight
        self.bias = bias
        self.activation = activation
    }

    /// `<name>.weight` `[inputs, outputs]` and `<name>.bias` `[1, outputs]` of a component, the names and shapes of
    /// `Networks.Dense`; zeros for a bias that is not there.
    public init(_ file: SafetensorsFile, _ name: String, activation: Activation = .identity) throws(BlobError) {
        let weight = try file.buffer("\(name).weight", as: Float.self, shape: [nil, nil])
        let shape = try file.tensor("\(name).weight").shape
        guard shape[1] > 0 else {
            throw BlobError(.mismatch, "\(file.path): tensor \"\(name).weight\": expected outputs, found \(shape)")
        }
        var bias = SharedBuffer([Float](repeating: 0, count: shape[1]))
        if file.contains("\(name).bias") {
            bias = try file.buffer("\(name).bias", as: Float.self, shape: [1, shape[1]])
        }
        for (values, part) in [(weight, "weight"), (bias, "bias")] {
            guard values.allSatisfy(\.isFinite) else {
                throw BlobError(.corrupt, "\(file.path): tensor \"\(name).\(part)\" has values that are not finite")
            }
        }
        self.init(inputs: shape[0], outputs: shape[1], weight: weight, bias: bias, activation: activation)
    }

    /// Rows `range` of the weights, without the bias.
    func rows(_ range: Range<Int>) -> SharedBuffer<Float> {
        weight[shared: range.lowerBound * outputs..<range.upperBound * outputs]
    }

    /// Layers of the same inputs and activation side by side: one product reads their input once.
    public static func sideBySide(_ layers: [LayerWeights]) -> LayerWeights {
        guard let first = layers.first else { preconditionFailure("layers are needed to stand side by side") }
        precondition(
            layers.allSatisfy { $0.inputs == first.inputs && $0.activation == first.activation },
            "layers of different inputs or activations")
        let outputs = layers.reduce(0) { $0 + $1.outputs }
        var weight: [Float] = []
        weight.reserveCapacity(first.inputs * outputs)
        for row in 0..<first.inputs {
            for layer in layers { weight.append(contentsOf: layer.rows(row..<row + 1)) }
        }
        return LayerWeights(
            inputs: first.inputs, outputs: outputs, weight: SharedBuffer(weight),
            bias: SharedBuffer(layers.flatMap(\.bias)), activation: first.activation)
    }
}
