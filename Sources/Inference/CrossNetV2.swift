public import Kernels

/// The cross network of DCN V2 (Wang et al., WWW 2021): `x_{l+1} = x_0 * (x_l W_l + b_l) + x_l`.
public final class CrossNetV2: TileNet {
    public let inputs: Int
    private let layers: [Layer]
    public let need: ArenaNeed

    /// Weights of one cross layer: W itself, or the V `[width, rank]` and U `[rank, width]` of W = V U.
    public struct Weights: Sendable {
        public var reduction: LayerWeights?
        public var weight: LayerWeights

        public init(reduction: LayerWeights? = nil, weight: LayerWeights) {
            self.reduction = reduction
            self.weight = weight
        }
    }

    private struct Layer: Sendable {
        let reduction: DenseLayer?
        let weight: DenseLayer
    }

    /// - Parameter precisions: One for each cross layer; its matrices' own when nil.
    public init(_ weights: [Weights], precisions: [Precision]? = nil) {
        guard let width = weights.first?.weight.outputs else { preconditionFailure("a cross network of no layers") }
        let precisions = precisions?.map(Optional.some) ?? Array(repeating: nil, count: weights.count)
        precondition(precisions.count == weights.count, "\(precisions.count) precisions for \(weights.count) layers")
        layers = zip(weights, precisions).map { layer, precision in
            precondition(
                layer.weight.outputs == width && (layer.reduction ?? layer.weight).inputs == width
                    && layer.reduction.map { $0.outputs == layer.weight.inputs } ?? true,
                "a cross layer that is not [\(width), \(width)]")
            return Layer(
                reduction: layer.reduction.map { DenseLayer($0, precision: precision) },
                weight: DenseLayer(layer.weight, precision: precision))
        }
        inputs = width
        let rank = layers.reduce(0) { max($0, $1.reduction?.outputs ?? 0) }
        need =
            ArenaNeed(floats: Tile.rows * width) + ArenaNeed(floats: Tile.rows * rank)
            + layers.reduce(ArenaNeed()) { .either($0, .either($1.weight.need, $1.reduction?.need ?? ArenaNeed())) }
    }

    public var outputs: Int { inputs }
    public var operations: Int {
        layers.reduce(0) { $0 + $1.weight.operations + ($1.reduction?.operations ?? 0) + 2 * inputs }
    }

    /// Floats of what `share` makes.
    package var sharedOutputs: Int { (layers[0].reduction ?? layers[0].weight).outputs }

    /// What columns that all rows of a request share bring to the first product of every row.
    ///
    /// - Parameters:
    ///   - x: `[inputs]`, any row.
    ///   - sum: `[sharedOutputs]`, overwritten; undefined when the first matrix is held in bytes, which does not use it.
    package func share(
        _ x: UnsafePointer<Float>, _ columns: SharedColumns, into sum: UnsafeMutablePointer<Float>
    ) {
        (layers[0].reduction ?? layers[0].weight).share(x, columns, into: sum)
    }

    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena
    ) {
        run(x, stride, rows, into: y, outputStride, in: arena) { layer, to in
            layer.run(x, stride: stride, rows: rows, into: to, outputStride: layer.outputs, in: arena)
        }
    }

    /// Runs at most `Tile.rows` rows of columns some of which all rows of the request share.
    ///
    /// - Parameter sum: What `share` made of `columns`.
    package func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, sharing columns: SharedColumns, sum: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>, outputStride: Int, in arena: InferenceArena
    ) {
        run(x, stride, rows, into: y, outputStride, in: arena) { layer, to in
            layer.run(
                x, stride: stride, rows: rows, into: to, outputStride: layer.outputs, sharing: columns, sum: sum,
                in: arena)
        }
    }

    /// - Parameter first: Multiplies x by the first matrix.
    @inline(__always)
    private func run(
        _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, into y: UnsafeMutablePointer<Float>, _ outputStride: Int,
        in arena: InferenceArena, first: (_ layer: DenseLayer, _ to: UnsafeMutablePointer<Float>) -> Void
    ) {
        arena.scope {
            let width = inputs
            let crossed = arena.take(rows * width)
            for row in 0..<rows { (y + row * outputStride).update(from: x + row * stride, count: width) }
            for (index, layer) in layers.enumerated() {
                cross(layer, rows, into: crossed, in: arena) { matrix, to in
                    if index == 0 {
                        first(matrix, to)
                    } else {
                        matrix.run(
                            y, stride: outputStride, rows: rows, into: to, outputStride: matrix.outputs, in: arena)
                    }
                }
                for row in 0..<rows {
                    kernels.multiplyAdd(x + row * stride, crossed + row * width, y + row * outputStride, count: width)
                }
            }
        }
    }

    /// `crossed = state W + b`.
    ///
    /// - Parameter product: Multiplies the state by a layer's first matrix.
    @inline(__always)
    private func cross(
        _ layer: Layer, _ rows: Int, into crossed: UnsafeMutablePointer<Float>, in arena: InferenceArena,
        product: (_ layer: DenseLayer, _ to: UnsafeMutablePointer<Float>) -> Void
    ) {
        guard let reduction = layer.reduction else { return product(layer.weight, crossed) }
        arena.scope {
            let inner = arena.take(rows * reduction.outputs)
            product(reduction, inner)
            layer.weight.run(
                inner, stride: reduction.outputs, rows: rows, into: crossed, outputStride: inputs, in: arena)
        }
    }
}
