public import Kernels

/// Dense layers one after the other.
///
/// The first inputs may be a request's own, the same for all of its rows: their product with the weights is made once and
/// takes the place of the first layer's bias. That is how one user meets n candidates at the cost of one row. Which columns
/// these are may also be told by each request (`SharedColumns`).
public final class DenseNet: TileNet {
    /// Columns of the input of each row; those of `sharedInputs` are not among them.
    public let inputs: Int
    /// First columns that are a request's own.
    public let sharedInputs: Int
    private let layers: [DenseLayer]
    private let norms: [RowNorm?]
    private let shared: DenseLayer?
    public let need: ArenaNeed

    /// - Parameters:
    ///   - weights: Layers of which each takes what the one before it gives.
    ///   - norms: What follows each layer; none when nil.
    ///   - precisions: One for each layer; the layers' own when nil.
    ///   - sharedInputs: The first layer's first inputs that are a request's own.
    /// - Complexity: O(weights).
    public init(
        _ weights: [LayerWeights], norms: [RowNorm?]? = nil, precisions: [Precision]? = nil, sharedInputs: Int = 0
    ) {
        guard let first = weights.first else { preconditionFailure("a net of no layers") }
        precondition(
            zip(weights, weights.dropFirst()).allSatisfy { $0.outputs == $1.inputs }, "layers do not fit together")
        let precisions = precisions ?? weights.map(\.precision)
        precondition(precisions.count == weights.count, "\(precisions.count) precisions for \(weights.count) layers")
        precondition(sharedInputs >= 0 && sharedInputs <= first.inputs, "\(sharedInputs) of \(first.inputs) inputs")
        let norms = norms ?? Array(repeating: nil, count: weights.count)
        precondition(
            norms.count == weights.count
                && zip(norms, weights).allSatisfy { $0.map(\.width) ?? $1.outputs == $1.outputs },
            "a norm for each layer, of its width")
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
        self.norms = norms
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

    /// What columns that all rows of a request share bring to every row.
    ///
    /// - Parameters:
    ///   - x: `[inputs]`, any row.
    ///   - sum: `[sharedOutputs]`, overwritten; undefined when the first layer is held in bytes, which does not use it.
    package func share(
        _ x: UnsafePointer<Float>, _ columns: SharedColumns, into sum: UnsafeMutablePointer<Float>
    ) {
        layers[0].share(x, columns, into: sum)
    }

    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena
    ) {
        precondition(sharedInputs == 0, "the request's own inputs are missing")
        run(x, stride, rows, into: y, outputStride, gates: nil, in: arena) { layer, to, step in
            layer.run(x, stride: stride, rows: rows, into: to, outputStride: step, in: arena)
        }
    }

    /// Runs at most `Tile.rows` rows beside a request's own inputs.
    ///
    /// - Parameter sum: What `share` made, `[sharedOutputs]`.
    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, sharing sum: UnsafePointer<Float>?,
        into y: UnsafeMutablePointer<Float>, outputStride: Int, in arena: InferenceArena
    ) {
        run(x, stride, rows, into: y, outputStride, gates: nil, in: arena) { layer, to, step in
            layer.run(x, stride: stride, rows: rows, into: to, outputStride: step, bias: sum, in: arena)
        }
    }

    /// Runs at most `Tile.rows` rows whose layers have gates, of columns some of which all rows of the request share.
    ///
    /// - Parameters:
    ///   - sum: What `share` made of `columns`; nil when no column is multiplied apart.
    ///   - gates: Of the first layers; nil for none.
    package func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, sharing columns: SharedColumns, sum: UnsafePointer<Float>?,
        gates: LayerGates?, into y: UnsafeMutablePointer<Float>, outputStride: Int, in arena: InferenceArena
    ) {
        precondition(sharedInputs == 0, "the request's own inputs are missing")
        run(x, stride, rows, into: y, outputStride, gates: gates, in: arena) { layer, to, step in
            if let sum {
                layer.run(
                    x, stride: stride, rows: rows, into: to, outputStride: step, sharing: columns, sum: sum, in: arena)
            } else {
                layer.run(x, stride: stride, rows: rows, into: to, outputStride: step, in: arena)
            }
        }
    }

    /// - Parameter first: Runs the first layer.
    @inline(__always)
    private func run(
        _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, into y: UnsafeMutablePointer<Float>, _ outputStride: Int,
        gates: LayerGates?, in arena: InferenceArena,
        first: (_ layer: DenseLayer, _ to: UnsafeMutablePointer<Float>, _ stride: Int) -> Void
    ) {
        arena.scope {
            var (from, step, gated) = (x, stride, 0)
            for (index, layer) in layers.enumerated() {
                let isLast = index == layers.count - 1
                let to = isLast ? y : arena.take(rows * layer.outputs)
                let toStep = isLast ? outputStride : layer.outputs
                if index == 0 {
                    first(layer, to, toStep)
                } else {
                    layer.run(from, stride: step, rows: rows, into: to, outputStride: toStep, in: arena)
                }
                norms[index]?.run(to, stride: toStep, rows: rows)
                if let gates, index < gates.layers {
                    gates.apply(at: gated, width: layer.outputs, to, stride: toStep, rows: rows)
                    gated += layer.outputs
                }
                (from, step) = (UnsafePointer(to), toStep)
            }
        }
    }
}
