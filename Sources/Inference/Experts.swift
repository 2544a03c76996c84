import Kernels

/// The experts of a mixture that read the same input: first layers side by side, then each by itself.
struct Experts: Sendable {
    let count: Int
    private let first: SideBySide
    /// `[experts][layers - 1]`.
    private let rest: [[DenseLayer]]
    let need: ArenaNeed

    /// - Parameter experts: Layers of each, all of the same shapes.
    init(_ experts: [[LayerWeights]]) {
        let shapes = experts.map { $0.map { [$0.inputs, $0.outputs] } }
        precondition(
            !shapes.isEmpty && !shapes[0].isEmpty && shapes.allSatisfy { $0 == shapes[0] },
            "experts of different shapes")
        count = experts.count
        let first = SideBySide(experts.map { $0[0] })
        let rest = experts.map { $0.dropFirst().map { DenseLayer($0) } }
        let hidden = rest[0].dropLast().reduce(ArenaNeed(floats: Tile.rows * first.outputs)) {
            $0 + ArenaNeed(floats: Tile.rows * $1.outputs)
        }
        need =
            (rest[0].isEmpty ? ArenaNeed() : hidden)
            + rest.flatMap { $0 }.reduce(first.need) { .either($0, $1.need) }
        self.first = first
        self.rest = rest
    }

    var inputs: Int { first.inputs }
    /// Columns that an expert gives.
    var outputs: Int { rest[0].last?.outputs ?? first.outputs / count }
    var operations: Int { first.operations + count * rest[0].reduce(0) { $0 + $1.operations } }

    /// - Parameters:
    ///   - isQuantized: Whether the arena holds the bytes of this very input.
    ///   - y: `[rows, count, outputs]`, rows `outputStride` floats apart, overwritten.
    func run(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, isQuantized: Bool, into y: UnsafeMutablePointer<Float>,
        outputStride: Int, in arena: InferenceArena
    ) {
        arena.scope {
            let isFlat = rest[0].isEmpty
            let hidden = isFlat ? y : arena.take(rows * first.outputs)
            first.run(
                x, stride: stride, rows: rows, into: hidden, outputStride: isFlat ? outputStride : first.outputs,
                isQuantized: isQuantized, in: arena)
            for (index, layers) in rest.enumerated() where !layers.isEmpty {
                let own = first.outputs / count
                arena.scope {
                    var (from, step) = (UnsafePointer(hidden) + index * own, first.outputs)
                    for (place, layer) in layers.enumerated() {
                        let isLast = place == layers.count - 1
                        let to = isLast ? y + index * outputs : arena.take(rows * layer.outputs)
                        let toStep = isLast ? outputStride : layer.outputs
                        layer.run(from, stride: step, rows: rows, into: to, outputStride: toStep, in: arena)
                        (from, step) = (UnsafePointer(to), toStep)
                    }
                }
            }
        }
    }
}
