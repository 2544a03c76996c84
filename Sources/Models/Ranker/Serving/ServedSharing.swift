import Blobs
import Inference
import Kernels

/// What the tasks share, in serving.
enum ServedSharing: Sendable {
    case none(width: Int)
    case bottom(DenseNet)
    case mixture(MixtureNet)

    init(_ model: RankerSpecification, inputs: Int, _ layers: ServedLayers) throws(BlobError) {
        let tasks = model.heads.count
        switch model.shared {
        case .none: self = .none(width: inputs)
        case .bottom(let widths): self = .bottom(DenseNet(try layers.chain("shared", count: widths.count)))
        case .mmoe(let experts, let widths, _):
            var gates: [LayerWeights] = []
            for task in 0..<tasks { gates.append(try layers.layer("shared.gate.\(task)")) }
            self = .mixture(
                MixtureNet(
                    experts: try layers.experts("shared.expert", experts, layers: widths.count), gates: gates))
        case .ple(let own, let shared, let sizes, _):
            var levels: [MixtureNet.ExtractionLevel] = []
            for (index, widths) in sizes.enumerated() {
                let isLast = index == sizes.count - 1
                levels.append(
                    try layers.level(
                        "shared.\(index)", tasks: tasks, own: own, shared: shared, layers: widths.count,
                        isLast: isLast))
            }
            self = .mixture(MixtureNet(levels))
        }
    }

    /// Columns that a tower reads.
    var outputs: Int {
        switch self {
        case .none(let width): width
        case .bottom(let net): net.outputs
        case .mixture(let net): net.outputs
        }
    }

    var need: ArenaNeed {
        switch self {
        case .none: ArenaNeed()
        case .bottom(let net): ArenaNeed(floats: Tile.rows * net.outputs) + net.need
        case .mixture(let net): ArenaNeed(floats: Tile.rows * net.tasks * net.outputs) + net.need
        }
    }

    /// What a tower reads: its first row, and how far rows are apart.
    struct TowerInputs {
        var first: UnsafePointer<Float>
        var stride: Int
        /// Floats from one task's rows to the next one's.
        var apart: Int
    }

    /// - Parameter x: `[rows, inputs]`, rows `stride` floats apart.
    /// - Returns: memory of the arena's scope, or x itself.
    func run(_ x: UnsafePointer<Float>, stride: Int, rows: Int, in arena: InferenceArena) -> TowerInputs {
        switch self {
        case .none: return TowerInputs(first: x, stride: stride, apart: 0)
        case .bottom(let net):
            let y = arena.take(rows * net.outputs)
            net.runTile(x, stride: stride, rows: rows, into: y, outputStride: net.outputs, in: arena)
            return TowerInputs(first: y, stride: net.outputs, apart: 0)
        case .mixture(let net):
            let y = arena.take(rows * net.tasks * net.outputs)
            net.runTile(x, stride: stride, rows: rows, into: y, in: arena)
            return TowerInputs(first: y, stride: net.outputs, apart: rows * net.outputs)
        }
    }
}

extension ServedLayers {
    /// `<name>.<expert>.<layer>`.
    fileprivate func experts(_ name: String, _ count: Int, layers: Int) throws(BlobError) -> [[LayerWeights]] {
        var experts: [[LayerWeights]] = []
        for index in 0..<count { experts.append(try chain("\(name).\(index)", count: layers)) }
        return experts
    }

    fileprivate func level(
        _ name: String, tasks: Int, own: Int, shared: Int, layers: Int, isLast: Bool
    ) throws(BlobError) -> MixtureNet.ExtractionLevel {
        var (experts, gates): ([[[LayerWeights]]], [LayerWeights]) = ([], [])
        for task in 0..<tasks {
            experts.append(try self.experts("\(name).task.\(task)", own, layers: layers))
            gates.append(try layer("\(name).gate.\(task)"))
        }
        return MixtureNet.ExtractionLevel(
            own: experts, shared: try self.experts("\(name).shared", shared, layers: layers), gates: gates,
            sharedGate: isLast ? nil : try layer("\(name).gate.shared"))
    }
}
