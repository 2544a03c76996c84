import Kernels

/// A dense layer packed for serving, in float32 or in bytes.
struct DenseLayer: Sendable {
    let inputs: Int
    let outputs: Int
    let activation: Activation
    private let weights: Weights
    private let bias: SharedBuffer<Float>

    private enum Weights: Sendable {
        case float32(PackedMatrix)
        case int8(QuantizedMatrix)
    }

    /// - Parameter precision: A single output stays float32: it is a dot product, and quantising its input costs more.
    /// - Complexity: O(inputs * outputs).
    init(_ layer: LayerWeights, precision: Precision) {
        inputs = layer.inputs
        outputs = layer.outputs
        activation = layer.activation
        bias = layer.bias
        weights = layer.weight.withUnsafeBufferPointer { values in
            let matrix = MatrixOperand(values, rows: layer.inputs, columns: layer.outputs)
            return precision == .int8 && layer.outputs > 1
                ? .int8(QuantizedMatrix(matrix)) : .float32(PackedMatrix(matrix))
        }
    }

    var precision: Precision {
        if case .int8 = weights { .int8 } else { .float32 }
    }

    /// What an arena must have for the layer's input.
    var need: ArenaNeed { ArenaNeed(byteColumns: precision == .int8 ? inputs : 0) }

    var operations: Int { 2 * inputs * outputs }

    /// `y = f(x W + b)`.
    ///
    /// - Parameters:
    ///   - x: `[rows, inputs]`, at most `Tile.rows` of them.
    ///   - y: `[rows, outputs]`, overwritten.
    ///   - bias: Takes the place of the layer's own, `[outputs]`.
    ///   - isQuantized: Whether the arena holds the bytes of this very input from the layer before.
    func run(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        bias own: UnsafePointer<Float>? = nil, isQuantized: Bool = false, in arena: InferenceArena
    ) {
        bias.withUnsafeBufferPointer { bias in
            let start = own ?? bias.baseAddress
            switch weights {
            case .float32(let matrix):
                let elements = UnsafeBufferPointer(start: x, count: max(0, rows - 1) * stride + inputs)
                kernels.multiply(
                    MatrixOperand(elements, rows: rows, columns: inputs, stride: stride), matrix, bias: start,
                    activation: activation, into: y, stride: outputStride)
            case .int8(let matrix):
                if !isQuantized { arena.quantized.assign(x, rows: rows, columns: inputs, stride: stride) }
                kernels.multiply(
                    arena.quantized, matrix, bias: start, activation: activation, into: y, stride: outputStride)
            }
        }
    }
}
