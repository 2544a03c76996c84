public import Kernels

/// Dense layers one after the other.
///
/// The first inputs may be a request's own, the same for all of its rows: their product with the weights is made once and
/// takes the place of the first layer's bias. That is how one user meets n candidates at the cost of one row.
public final class DenseNet: TileNet {
    /// Columns of the input of each row; those of the request are not among them.
    public let inputs: Int
    /// Columns of a request's own input.
    public let sharedInputs: Int
    private let layers: [DenseLayer]
    private let shared: DenseLayer?
    public let need: ArenaNeed

    /// - Parameters:
    ///   - weights: Layers of which each takes what the one before it gives.
    ///   - precisions: One for each layer; all float32 when nil.
    ///   - sharedInputs: The first layer's first inputs that are a request's own.
    /// - Complexity: O(weights).
    public init(_ weights: [LayerWeights], precisions: [Precision]? = nil, sharedInputs: Int = 0) {
        guard let first = weights.first else { preconditionFailure("a net of no layers") }
        precondition(
            zip(weights, weights.dropFirst()).allSatisfy { $0.outputs == $1.inputs }, "layers do not fit together")
        let precisions = precisions ?? Array(repeating: .float32, count: weights.count)
        precondition(precisions.count == weights.count, "\(precisions.count) precisions for \(weights.count) layers")
        precondition(sharedInputs >= 0 && sharedInputs <= first.inputs, "\(sharedInputs) of \(first.inputs) inputs")
        var parts = weights
        var shared: DenseLayer?
        if sharedInputs > 0 {
            shared = DenseLayer(
                LayerWeights(
                    inputs: sharedInputs, outputs: first.outputs, weight: first.rows(0..<sharedInputs), bias: first.bias
                ),
                precision: .float32)
            parts[0] = LayerWeights(
                inputs: first.inputs - sharedInputs, outputs: first.outputs,
                weight: first.rows(sharedInputs..<first.inputs), bias: first.bias, activation: first.activation)
        }
        self.shared = shared
        self.sharedInputs = sharedInputs
        inputs = parts[0].inputs
        layers = zip(parts, precisions).map { DenseLayer($0, precision: $1) }
        need =
            layers.dropLast().reduce(ArenaNeed()) { $0 + ArenaNeed(floats: Tile.rows * $1.outputs) }
            + layers.reduce(ArenaNeed()) { .either($0, $1.need) }
    }

    public var outputs: Int { layers[layers.count - 1].outputs }
    public var operations: Int { layers.reduce(0) { $0 + $1.operations } }
    /// How each layer is held.
    public var precisions: [Precision] { layers.map(\.precision) }
    /// Floats of what `share` makes.
    public var sharedOutputs: Int { layers[0].outputs }

    /// What a request's own inputs bring to every row.
    ///
    /// - Parameters:
    ///   - x: `[sharedInputs]`.
    ///   - sum: `[sharedOutputs]`, overwritten: goes into `run(sharing:)`.
    public func share(
        _ x: UnsafeBufferPointer<Float>, into sum: UnsafeMutableBufferPointer<Float>, in arena: InferenceArena
    ) {
        precondition(x.count == sharedInputs && sum.count == sharedOutputs, "\(x.count) inputs, \(sum.count) outputs")
        guard let shared, let from = x.baseAddress, let to = sum.baseAddress else {
            preconditionFailure("the net has no shared inputs")
        }
        shared.run(from, stride: sharedInputs, rows: 1, into: to, outputStride: sharedOutputs, in: arena)
    }

    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena
    ) {
        precondition(sharedInputs == 0, "the request's own inputs are missing")
        runTile(x, stride: stride, rows: rows, sharing: nil, into: y, outputStride: outputStride, in: arena)
    }

    /// Runs at most `Tile.rows` rows beside a request's own inputs.
    ///
    /// - Parameter sum: What `share` made, `[sharedOutputs]`.
    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, sharing sum: UnsafePointer<Float>?,
        into y: UnsafeMutablePointer<Float>, outputStride: Int, in arena: InferenceArena
    ) {
        arena.scope {
            var (from, step) = (x, stride)
            for (index, layer) in layers.enumerated() {
                let isLast = index == layers.count - 1
                let to = isLast ? y : arena.take(rows * layer.outputs)
                layer.run(
                    from, stride: step, rows: rows, into: to, outputStride: isLast ? outputStride : layer.outputs,
                    bias: index == 0 ? sum : nil, in: arena)
                (from, step) = (UnsafePointer(to), layer.outputs)
            }
        }
    }
}
