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

    /// - Parameter precisions: One for each cross layer; all float32 when nil.
    public init(_ weights: [Weights], precisions: [Precision]? = nil) {
        guard let width = weights.first?.weight.outputs else { preconditionFailure("a cross network of no layers") }
        let precisions = precisions ?? Array(repeating: .float32, count: weights.count)
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

    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena
    ) {
        arena.scope {
            let width = inputs
            let crossed = arena.take(rows * width)
            for row in 0..<rows { (y + row * outputStride).update(from: x + row * stride, count: width) }
            for layer in layers {
                cross(layer, y, outputStride, rows, into: crossed, in: arena)
                for row in 0..<rows {
                    kernels.multiplyAdd(x + row * stride, crossed + row * width, y + row * outputStride, count: width)
                }
            }
        }
    }

    /// `crossed = state W + b`.
    private func cross(
        _ layer: Layer, _ state: UnsafePointer<Float>, _ stride: Int, _ rows: Int,
        into crossed: UnsafeMutablePointer<Float>, in arena: InferenceArena
    ) {
        guard let reduction = layer.reduction else {
            layer.weight.run(state, stride: stride, rows: rows, into: crossed, outputStride: inputs, in: arena)
            return
        }
        arena.scope {
            let inner = arena.take(rows * reduction.outputs)
            reduction.run(state, stride: stride, rows: rows, into: inner, outputStride: reduction.outputs, in: arena)
            layer.weight.run(
                inner, stride: reduction.outputs, rows: rows, into: crossed, outputStride: inputs, in: arena)
        }
    }
}
