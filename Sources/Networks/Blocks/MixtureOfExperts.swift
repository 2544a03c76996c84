import Kernels

/// Multi-gate mixture of experts (MMoE, Ma et al., KDD 2018): experts over the shared input, mixed for each task by its own
/// `softmax(x W_k)`.
public struct MixtureOfExperts: Sendable {
    private let experts: [MLP]
    private let gates: [Dense]
    /// Probability of dropping a gate's weight in training.
    public let gateDropout: Float

    /// Experts `<name>.expert.<e>`, gates `<name>.gate.<k>`.
    ///
    /// - Parameters:
    ///   - widths: Outputs of each layer of an expert, ReLU after all of them.
    ///   - gateDropout: Against polarisation (Zhao et al., RecSys 2019).
    public init(
        _ name: String, inputs: Int, experts count: Int, widths: [Int], tasks: Int, gateDropout: Float = 0.1,
        dropout: Float = 0, in parameters: ParameterSet
    ) throws(NetworkError) {
        precondition(count > 0 && tasks > 0, "\(name): experts and tasks are positive")
        var (experts, gates): ([MLP], [Dense]) = ([], [])
        for index in 0..<count {
            experts.append(
                try MLP(
                    "\(name).expert.\(index)", inputs: inputs, widths: widths, last: .relu, dropout: dropout,
                    in: parameters))
        }
        for task in 0..<tasks {
            gates.append(try Dense("\(name).gate.\(task)", inputs: inputs, outputs: count, in: parameters))
        }
        (self.experts, self.gates) = (experts, gates)
        self.gateDropout = gateDropout
    }

    /// Columns of each task's mixture.
    public var outputs: Int { experts.first?.outputs ?? 0 }

    /// - Parameters:
    ///   - x: parts of the shared input, `[n, k_i]`.
    ///   - statistics: Is told of the gates, before any is dropped.
    /// - Returns: `[n, outputs]` for each task.
    public func callAsFunction(
        _ x: [Tensor], in workspace: Workspace, statistics: GateStatistics? = nil
    ) -> [Tensor] {
        let parts = experts.map { $0(x, in: workspace) }
        return gates.enumerated().map { task, gate in
            let weights = workspace.softmaxRows(gate(x, in: workspace))
            statistics?.add(weights, gate: task)
            return workspace.mixture(
                parts, weights: workspace.gateDropout(weights, probability: gateDropout))
        }
    }

    /// Floating-point operations for a row.
    public var operations: Int {
        let mixing = gates.count * experts.count * (2 * outputs + Workspace.exponentialOperations)
        return experts.reduce(0) { $0 + $1.operations } + gates.reduce(0) { $0 + $1.operations } + mixing
    }

    /// What ``GateStatistics`` of this block counts.
    public func makeStatistics() -> GateStatistics {
        GateStatistics(gates: gates.count, experts: experts.count)
    }
}

extension Workspace {
    /// What an exponential counts in floating-point operations.
    static let exponentialOperations = 10
}
