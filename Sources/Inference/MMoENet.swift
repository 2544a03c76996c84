public import Kernels

/// Multi-gate mixture of experts with a tower for each task (MMoE, Ma et al., KDD 2018): a `MixtureNet` and its towers.
public final class MMoENet: TileNet {
    private let mixture: MixtureNet
    private let towers: [DenseNet]
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
        precondition(
            experts.allSatisfy { $0.count == precisions.experts?.count ?? $0.count }, "a precision for each layer")
        let experts = experts.map { layers in
            layers.enumerated().map { $1.held(in: precisions.experts?[$0] ?? .float32) }
        }
        let mixture = MixtureNet(experts: experts, gates: gates.map { $0.held(in: precisions.gates) })
        let towers = towers.enumerated().map { task, layers in
            DenseNet(
                layers, precisions: precisions.towers?[task] ?? Array(repeating: .float32, count: layers.count))
        }
        precondition(towers.allSatisfy { $0.inputs == mixture.outputs }, "towers read what the experts give")
        need =
            ArenaNeed(floats: Tile.rows * gates.count * mixture.outputs)
            + towers.reduce(mixture.need) { .either($0, $1.need) }
        self.mixture = mixture
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

    public var inputs: Int { mixture.inputs }
    /// Columns of the towers' outputs, task after task.
    public var outputs: Int { towers.reduce(0) { $0 + $1.outputs } }
    public var operations: Int { towers.reduce(mixture.operations) { $0 + $1.operations } }

    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena
    ) {
        arena.scope {
            let width = mixture.outputs
            let mixed = arena.take(rows * towers.count * width)
            mixture.runTile(x, stride: stride, rows: rows, into: mixed, in: arena)
            var column = 0
            for (task, tower) in towers.enumerated() {
                tower.runTile(
                    mixed + task * rows * width, stride: width, rows: rows, into: y + column,
                    outputStride: outputStride, in: arena)
                column += tower.outputs
            }
        }
    }
}
