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
    /// How it is to be held; a layer with one output is held in float32 always.
    public var precision: Precision

    public init(
        inputs: Int, outputs: Int, weight: SharedBuffer<Float>, bias: SharedBuffer<Float>,
        activation: Activation = .identity, precision: Precision = .float32
    ) {
        precondition(
            inputs >= 0 && outputs > 0 && weight.count == inputs * outputs && bias.count == outputs,
            "[\(inputs), \(outputs)] with \(weight.count) weights and \(bias.count) biases")
        self.inputs = inputs
        self.outputs = outputs
        self.weight = weight
        self.bias = bias
        self.activation = activation
        self.precision = precision
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

    /// The same layer, to be held otherwise.
    func held(in precision: Precision) -> LayerWeights {
        var layer = self
        layer.precision = precision
        return layer
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
            bias: SharedBuffer(layers.flatMap(\.bias)), activation: first.activation, precision: first.precision)
    }

    /// The layer followed by `y * factor + shift`, column by column: batch normalisation in serving is one.
    ///
    /// - Parameters: factor, shift: `[outputs]`.
    /// - Precondition: no activation comes between.
    public func followed(byFactor factor: [Float], shift: [Float]) -> LayerWeights {
        precondition(activation == .identity && factor.count == outputs && shift.count == outputs, "columns of a layer")
        return LayerWeights(
            inputs: inputs, outputs: outputs,
            weight: SharedBuffer(weight.enumerated().map { $1 * factor[$0 % outputs] }),
            bias: SharedBuffer(bias.enumerated().map { $1 * factor[$0] + shift[$0] }), precision: precision)
    }

    /// The outputs at `places` of `count`; the others are `value` whatever the input.
    func spread(to places: [Int], of count: Int, others value: Float) -> LayerWeights {
        precondition(places.count == outputs && places.allSatisfy { $0 < count }, "\(outputs) outputs at \(places)")
        var weight = [Float](repeating: 0, count: inputs * count)
        var bias = [Float](repeating: value, count: count)
        for (column, place) in places.enumerated() {
            bias[place] = self.bias[column]
            for row in 0..<inputs { weight[row * count + place] = self.weight[row * outputs + column] }
        }
        return LayerWeights(
            inputs: inputs, outputs: count, weight: SharedBuffer(weight), bias: SharedBuffer(bias),
            activation: activation, precision: precision)
    }
}
