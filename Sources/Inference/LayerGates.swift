import Kernels

/// Factors of the outputs of a net's first layers (LHUC, PPNet), side by side in the order of the layers.
package struct LayerGates {
    /// Of the first row.
    package var values: UnsafePointer<Float>
    /// Floats from one row's to the next row's; 0 when all rows have the same.
    package var stride: Int
    /// Layers that are gated.
    package var layers: Int

    package init(values: UnsafePointer<Float>, stride: Int, layers: Int) {
        self.values = values
        self.stride = stride
        self.layers = layers
    }

    /// Multiplies a layer's output in place.
    func apply(at column: Int, width: Int, _ y: UnsafeMutablePointer<Float>, stride outputStride: Int, rows: Int) {
        for row in 0..<rows {
            let own = y + row * outputStride
            kernels.multiply(own, values + row * stride + column, own, count: width)
        }
    }
}

/// The net that makes personal gates of a few inputs: one hidden layer, then 2 sigmoid of a layer for each gated one.
public final class GateNet: TileNet {
    private let hidden: DenseLayer
    private let gates: SideBySide
    public let need: ArenaNeed

    /// - Parameter gates: Layers over the hidden one's output, as they stand side by side in the result.
    public init(hidden: LayerWeights, gates: [LayerWeights]) {
        self.hidden = DenseLayer(hidden)
        self.gates = SideBySide(gates)
        precondition(self.gates.inputs == hidden.outputs, "gates of \(self.gates.inputs) inputs")
        need = ArenaNeed(floats: Tile.rows * hidden.outputs) + .either(self.hidden.need, self.gates.need)
    }

    public var inputs: Int { hidden.inputs }
    public var outputs: Int { gates.outputs }
    public var operations: Int { hidden.operations + gates.operations }

    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena
    ) {
        arena.scope {
            let state = arena.take(rows * hidden.outputs)
            hidden.run(x, stride: stride, rows: rows, into: state, outputStride: hidden.outputs, in: arena)
            gates.run(state, stride: hidden.outputs, rows: rows, into: y, outputStride: outputStride, in: arena)
        }
    }
}
