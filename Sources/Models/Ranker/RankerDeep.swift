import Kernels
import Networks

/// The deep net of a ranking model: layers, each normalised if the specification says so, then ReLU, then its gate.
struct RankerDeep: Sendable {
    private enum Norm: Sendable {
        case none
        case batch(BatchNorm)
        case layer(LayerNorm)
    }

    private let layers: [(dense: Dense, norm: Norm)]
    private let dropout: Float

    init(_ specification: RankerDeepNet, inputs: Int, in parameters: ParameterSet) throws {
        var layers: [(Dense, Norm)] = []
        var inputs = inputs
        for (index, width) in specification.widths.enumerated() {
            let name = "deep.\(index)"
            let isPlain = specification.normalization == .none
            // A normalised layer ends in ReLU too, after the norm.
            let dense = try Dense(
                name, inputs: inputs, outputs: width, activation: isPlain ? .relu : .identity, in: parameters)
            let norm: Norm =
                switch specification.normalization {
                case .none: .none
                case .batch: .batch(try BatchNorm("\(name).norm", width: width, in: parameters))
                case .layer: .layer(try LayerNorm("\(name).norm", width: width, in: parameters))
                }
            layers.append((dense, norm))
            inputs = width
        }
        self.layers = layers
        dropout = specification.dropout
    }

    var outputs: Int { layers.last?.dense.outputs ?? 0 }
    var operations: Int {
        layers.reduce(0) { sum, layer in
            if case .none = layer.norm { return sum + layer.dense.operations }
            return sum + layer.dense.operations + 6 * layer.dense.outputs
        }
    }

    /// - Parameter gates: of the layers; empty for none.
    func callAsFunction(_ x: Tensor, gates: [Tensor], in workspace: Workspace) -> Tensor {
        var state = x
        for (index, layer) in layers.enumerated() {
            if index > 0 { state = workspace.dropout(state, probability: dropout) }
            state = layer.dense(state, in: workspace)
            switch layer.norm {
            case .none: break
            case .batch(let norm): state = workspace.activate(norm(state, in: workspace), .relu)
            case .layer(let norm): state = workspace.activate(norm(state, in: workspace), .relu)
            }
            if index < gates.count { state = workspace.multiply(state, gates[index]) }
        }
        return state
    }
}

/// What the tasks of a ranking model share.
enum RankerShared: Sendable {
    case none(width: Int)
    case bottom(MLP)
    case mmoe(MixtureOfExperts)
    case ple(ProgressiveExtraction)

    init(_ sharing: RankerSharing, inputs: Int, tasks: Int, in parameters: ParameterSet) throws {
        switch sharing {
        case .none: self = .none(width: inputs)
        case .bottom(let widths):
            self = .bottom(try MLP("shared", inputs: inputs, widths: widths, last: .relu, in: parameters))
        case .mmoe(let experts, let widths, let gateDropout):
            self = .mmoe(
                try MixtureOfExperts(
                    "shared", inputs: inputs, experts: experts, widths: widths, tasks: tasks, gateDropout: gateDropout,
                    in: parameters))
        case .ple(let own, let shared, let levels, let gateDropout):
            self = .ple(
                try ProgressiveExtraction(
                    "shared", inputs: inputs, own: own, shared: shared, levels: levels, tasks: tasks,
                    gateDropout: gateDropout, in: parameters))
        }
    }

    /// Columns of a task's input.
    var outputs: Int {
        switch self {
        case .none(let width): width
        case .bottom(let net): net.outputs
        case .mmoe(let block): block.outputs
        case .ple(let block): block.outputs
        }
    }

    var operations: Int {
        switch self {
        case .none: 0
        case .bottom(let net): net.operations
        case .mmoe(let block): block.operations
        case .ple(let block): block.operations
        }
    }

    /// - Returns: `[n, outputs]` for each task.
    func callAsFunction(
        _ x: Tensor, tasks: Int, in workspace: Workspace, statistics: GateStatistics?
    ) -> [Tensor] {
        switch self {
        case .none: Array(repeating: x, count: tasks)
        case .bottom(let net): Array(repeating: net(x, in: workspace), count: tasks)
        case .mmoe(let block): block([x], in: workspace, statistics: statistics)
        case .ple(let block): block([x], in: workspace, statistics: statistics)
        }
    }
}
