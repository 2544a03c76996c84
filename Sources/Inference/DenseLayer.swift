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

    /// - Parameter precision: Instead of the layer's own. A single output stays float32: it is a dot product, and quantising
    ///   its input costs more.
    /// - Complexity: O(inputs * outputs).
    init(_ layer: LayerWeights, precision: Precision? = nil) {
        inputs = layer.inputs
        outputs = layer.outputs
        activation = layer.activation
        bias = layer.bias
        weights = layer.weight.withUnsafeBufferPointer { values in
            let matrix = MatrixOperand(values, rows: layer.inputs, columns: layer.outputs)
            return (precision ?? layer.precision) == .int8 && layer.outputs > 1
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

/// Columns that are the same in all rows of a request.
extension DenseLayer {
    /// What these columns and the bias bring to every row.
    ///
    /// Nothing is made in bytes: a row's input is rounded as a whole.
    /// - Parameters:
    ///   - x: `[inputs]`, any row.
    ///   - sum: `[outputs]`, overwritten: goes into `run(sharing:)`.
    func share(_ x: UnsafePointer<Float>, _ columns: SharedColumns, into sum: UnsafeMutablePointer<Float>) {
        guard case .float32(let matrix) = weights else { return }
        precondition(columns.count == inputs, "\(columns.count) columns for a layer of \(inputs) inputs")
        bias.withUnsafeBufferPointer { bias in
            for (column, value) in bias.enumerated() { sum[column] = value }
        }
        for range in columns.shared {
            kernels.multiply(
                operand(x, range, stride: inputs, rows: 1), matrix, firstRow: range.lowerBound, accumulate: true,
                into: sum)
        }
    }

    /// `y = f(x W + b)`, of which `share` has made what `columns` calls shared.
    func run(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        sharing columns: SharedColumns, sum: UnsafePointer<Float>, in arena: InferenceArena
    ) {
        guard case .float32(let matrix) = weights, !columns.shared.isEmpty else {
            run(x, stride: stride, rows: rows, into: y, outputStride: outputStride, in: arena)
            return
        }
        guard let last = columns.own.last else {
            for row in 0..<rows { kernels.activate(activation, sum, y + row * outputStride, count: outputs) }
            return
        }
        for (index, range) in columns.own.enumerated() {
            kernels.multiply(
                operand(x, range, stride: stride, rows: rows), matrix, firstRow: range.lowerBound,
                bias: index == 0 ? sum : nil, activation: range == last ? activation : .identity,
                accumulate: index > 0, into: y, stride: outputStride)
        }
    }

    private func operand(_ x: UnsafePointer<Float>, _ columns: Range<Int>, stride: Int, rows: Int) -> MatrixOperand {
        let elements = UnsafeBufferPointer(
            start: x + columns.lowerBound, count: max(0, rows - 1) * stride + columns.count)
        return MatrixOperand(elements, rows: rows, columns: columns.count, stride: stride)
    }
}
