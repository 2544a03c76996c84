public import Kernels

/// Multi-gate mixture of experts with a tower for each task (MMoE, Ma et al., KDD 2018).
///
/// The experts' first layers stand side by side, and so do the gates: the shared input is read, and quantised, once.
public final class MMoENet: TileNet {
    public let inputs: Int
    private let experts: Experts
    private let gates: DenseLayer
    private let towers: [DenseNet]
    private let tasks: Int
    public let need: ArenaNeed

    /// - Parameters:
    ///   - experts: Layers of each expert; all experts have the same shapes.
    ///   - gates: For each task `[inputs, experts]`; their softmax weighs the experts.
    ///   - towers: Layers of each task, over its mixture.
    ///   - precisions: See `Precisions`.
    public init(
        experts: [[LayerWeights]], gates: [LayerWeights], towers: [[LayerWeights]], precisions: Precisions = .init()
    ) {
        precondition(
            !experts.isEmpty && !gates.isEmpty && gates.count == towers.count, "a gate and a tower for each task")
        precondition(gates.allSatisfy { $0.outputs == experts.count }, "a gate weighs every expert")
        let body = Experts(experts, precisions: precisions.experts)
        let gate = DenseLayer(.sideBySide(gates), precision: precisions.gates)
        let towers = zip(towers.indices, towers).map { DenseNet($1, precisions: precisions.towers?[$0]) }
        precondition(
            gate.inputs == body.inputs && towers.allSatisfy { $0.inputs == body.outputs },
            "gates read what the experts read, towers what they give")
        inputs = body.inputs
        tasks = gates.count
        // Experts' outputs, gates and mixtures.
        let own =
            ArenaNeed(floats: Tile.rows * body.count * body.outputs) + ArenaNeed(floats: Tile.rows * gate.outputs)
            + ArenaNeed(floats: Tile.rows * gates.count * body.outputs)
        need = own + gate.need + towers.reduce(body.need) { .either($0, $1.need) }
        self.experts = body
        self.gates = gate
        self.towers = towers
    }

    /// How the layers are held; float32 where nothing is said.
    public struct Precisions: Sendable, Hashable {
        /// One for each layer of the experts, all experts alike.
        public var experts: [Precision]?
        public var gates = Precision.float32
        /// For each task, one for each layer of its tower.
        public var towers: [[Precision]]?

        public init(experts: [Precision]? = nil, gates: Precision = .float32, towers: [[Precision]]? = nil) {
            self.experts = experts
            self.gates = gates
            self.towers = towers
        }
    }

    /// Columns of the towers' outputs, task after task.
    public var outputs: Int { towers.reduce(0) { $0 + $1.outputs } }
    public var operations: Int {
        experts.operations + gates.operations + 2 * tasks * experts.count * experts.outputs
            + towers.reduce(0) { $0 + $1.operations }
    }

    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena
    ) {
        arena.scope {
            let width = experts.outputs
            let values = arena.take(rows * experts.count * width)
            let weights = arena.take(rows * gates.outputs)
            let mixed = arena.take(rows * tasks * width)
            gates.run(x, stride: stride, rows: rows, into: weights, outputStride: gates.outputs, in: arena)
            // Both read x; when both are bytes, it has just been quantised.
            let isQuantized = gates.precision == .int8
            experts.run(x, stride: stride, rows: rows, isQuantized: isQuantized, into: values, in: arena)
            kernels.mix(
                values, gates: weights, rows: rows, tasks: tasks, experts: experts.count, width: width, into: mixed)
            var column = 0
            for (task, tower) in towers.enumerated() {
                tower.runTile(
                    mixed + task * rows * width, stride: width, rows: rows, into: y + column,
                    outputStride: outputStride,
                    in: arena)
                column += tower.outputs
            }
        }
    }
}

/// The experts of a mixture: first layers side by side, then each by itself.
struct Experts: Sendable {
    let count: Int
    private let first: DenseLayer
    /// `[experts][layers - 1]`.
    private let rest: [[DenseLayer]]
    let need: ArenaNeed

    init(_ experts: [[LayerWeights]], precisions: [Precision]?) {
        let shapes = experts.map { $0.map { [$0.inputs, $0.outputs] } }
        precondition(!shapes[0].isEmpty && shapes.allSatisfy { $0 == shapes[0] }, "experts of different shapes")
        let precisions = precisions ?? Array(repeating: .float32, count: shapes[0].count)
        precondition(
            precisions.count == shapes[0].count, "\(precisions.count) precisions for \(shapes[0].count) layers")
        count = experts.count
        first = DenseLayer(.sideBySide(experts.map { $0[0] }), precision: precisions[0])
        rest = experts.map { zip($0, precisions).dropFirst().map { DenseLayer($0, precision: $1) } }
        let layers = [first] + rest[0].dropLast()
        need =
            (rest[0].isEmpty
                ? ArenaNeed() : layers.reduce(ArenaNeed()) { $0 + ArenaNeed(floats: Tile.rows * $1.outputs) })
            + ([first] + rest[0]).reduce(ArenaNeed()) { .either($0, $1.need) }
    }

    var inputs: Int { first.inputs }
    /// Columns that an expert gives.
    var outputs: Int { rest[0].last?.outputs ?? first.outputs / count }
    var operations: Int { first.operations + count * rest[0].reduce(0) { $0 + $1.operations } }

    /// - Parameter y: `[rows, count, outputs]`, overwritten.
    func run(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, isQuantized: Bool, into y: UnsafeMutablePointer<Float>,
        in arena: InferenceArena
    ) {
        arena.scope {
            let isQuantized = isQuantized && first.precision == .int8
            let hidden = rest[0].isEmpty ? y : arena.take(rows * first.outputs)
            first.run(
                x, stride: stride, rows: rows, into: hidden, outputStride: first.outputs, isQuantized: isQuantized,
                in: arena)
            for (index, layers) in rest.enumerated() where !layers.isEmpty {
                let own = first.outputs / count
                arena.scope {
                    var (from, step) = (UnsafePointer(hidden) + index * own, first.outputs)
                    for (place, layer) in layers.enumerated() {
                        let isLast = place == layers.count - 1
                        let to = isLast ? y + index * outputs : arena.take(rows * layer.outputs)
                        let outputStride = isLast ? count * outputs : layer.outputs
                        layer.run(from, stride: step, rows: rows, into: to, outputStride: outputStride, in: arena)
                        (from, step) = (UnsafePointer(to), outputStride)
                    }
                }
            }
        }
    }
}
