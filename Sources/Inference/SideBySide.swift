import Kernels

/// Layers over the same input, their outputs side by side: neighbours of one precision are one product.
struct SideBySide: Sendable {
    private let pieces: [Piece]

    private struct Piece: Sendable {
        let layer: DenseLayer
        /// First column of the outputs.
        let column: Int
    }

    /// - Precondition: layers of the same inputs and activation, at least one.
    init(_ layers: [LayerWeights]) {
        precondition(!layers.isEmpty, "layers are needed to stand side by side")
        var pieces: [Piece] = []
        var (run, column): ([LayerWeights], Int) = ([], 0)
        for (index, layer) in layers.enumerated() {
            run.append(layer)
            guard index == layers.count - 1 || layers[index + 1].precision != layer.precision else { continue }
            let piece = Piece(layer: DenseLayer(.sideBySide(run)), column: column)
            pieces.append(piece)
            column += piece.layer.outputs
            run.removeAll()
        }
        precondition(pieces.allSatisfy { $0.layer.inputs == pieces[0].layer.inputs }, "layers of different inputs")
        self.pieces = pieces
    }

    var inputs: Int { pieces[0].layer.inputs }
    var outputs: Int { pieces.reduce(0) { $0 + $1.layer.outputs } }
    var operations: Int { pieces.reduce(0) { $0 + $1.layer.operations } }
    var need: ArenaNeed { pieces.reduce(ArenaNeed()) { .either($0, $1.layer.need) } }

    /// - Parameters:
    ///   - y: `[rows, outputs]`, rows `outputStride` floats apart, overwritten.
    ///   - isQuantized: Whether the arena holds the bytes of this very input.
    /// - Returns: whether it does now.
    @discardableResult
    func run(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        isQuantized: Bool = false, in arena: InferenceArena
    ) -> Bool {
        var isQuantized = isQuantized
        for piece in pieces {
            piece.layer.run(
                x, stride: stride, rows: rows, into: y + piece.column, outputStride: outputStride,
                isQuantized: isQuantized, in: arena)
            if piece.layer.precision == .int8 { isQuantized = true }
        }
        return isQuantized
    }
}
