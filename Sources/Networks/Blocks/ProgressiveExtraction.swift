import Kernels

/// Progressive layered extraction (PLE, Tang et al., RecSys 2020): each level has experts of each task and shared ones; a task's
/// gate mixes its own with the shared, the shared gate mixes all. The next level starts from the mixtures.
public struct ProgressiveExtraction: Sendable {
    private let levels: [Level]
    public let gateDropout: Float

    private struct Level: Sendable {
        /// By task.
        var own: [[MLP]]
        var shared: [MLP]
        var gates: [Dense]
        /// nil at the last level.
        var sharedGate: Dense?
    }

    /// Experts `<name>.<level>.task.<k>.<e>` and `<name>.<level>.shared.<e>`, gates `<name>.<level>.gate.<k>` and
    /// `<name>.<level>.gate.shared`.
    ///
    /// - Parameters:
    ///   - own, shared: Experts of each task, and shared ones, at every level.
    ///   - levels: Widths of an expert's layers at each level, ReLU after all of them.
    public init(
        _ name: String, inputs: Int, own: Int, shared: Int, levels widths: [[Int]], tasks: Int,
        gateDropout: Float = 0.1, dropout: Float = 0, in parameters: ParameterSet
    ) throws(NetworkError) {
        precondition(own > 0 && shared > 0 && tasks > 0 && !widths.isEmpty, "\(name): every count is positive")
        var levels: [Level] = []
        var inputs = inputs
        for (index, layers) in widths.enumerated() {
            let prefix = "\(name).\(index)"
            func experts(_ kind: String, _ count: Int) throws(NetworkError) -> [MLP] {
                var made: [MLP] = []
                for expert in 0..<count {
                    made.append(
                        try MLP(
                            "\(prefix).\(kind).\(expert)", inputs: inputs, widths: layers, last: .relu,
                            dropout: dropout, in: parameters))
                }
                return made
            }
            var (tasksExperts, gates): ([[MLP]], [Dense]) = ([], [])
            for task in 0..<tasks {
                tasksExperts.append(try experts("task.\(task)", own))
                gates.append(
                    try Dense("\(prefix).gate.\(task)", inputs: inputs, outputs: own + shared, in: parameters))
            }
            let common = try experts("shared", shared)
            var sharedGate: Dense?
            if index + 1 < widths.count {
                sharedGate = try Dense(
                    "\(prefix).gate.shared", inputs: inputs, outputs: tasks * own + shared, in: parameters)
            }
            levels.append(Level(own: tasksExperts, shared: common, gates: gates, sharedGate: sharedGate))
            inputs = layers.last ?? inputs
        }
        self.levels = levels
        self.gateDropout = gateDropout
    }

    /// Columns of each task's mixture.
    public var outputs: Int { levels.last?.shared.first?.outputs ?? 0 }

    /// - Parameters:
    ///   - x: parts of the shared input, `[n, k_i]`.
    ///   - statistics: Is told of the last level's gates over own and shared experts, before any is dropped.
    /// - Returns: `[n, outputs]` for each task.
    public func callAsFunction(
        _ x: [Tensor], in workspace: Workspace, statistics: GateStatistics? = nil
    ) -> [Tensor] {
        var tasks = [[Tensor]](repeating: x, count: levels[0].gates.count)
        var common = x
        for (index, level) in levels.enumerated() {
            let own = zip(level.own, tasks).map { experts, x in experts.map { $0(x, in: workspace) } }
            let shared = level.shared.map { $0(common, in: workspace) }
            let mixtures = level.gates.indices.map { task in
                let weights = workspace.softmaxRows(level.gates[task](tasks[task], in: workspace))
                if index == levels.count - 1 { statistics?.add(weights, gate: task) }
                return mix(own[task] + shared, weights, in: workspace)
            }
            if let gate = level.sharedGate {
                let weights = workspace.softmaxRows(gate(common, in: workspace))
                common = [mix(own.flatMap { $0 } + shared, weights, in: workspace)]
            }
            tasks = mixtures.map { [$0] }
        }
        return tasks.map { $0[0] }
    }

    private func mix(_ parts: [Tensor], _ weights: Tensor, in workspace: Workspace) -> Tensor {
        workspace.mixture(parts, weights: workspace.gateDropout(weights, probability: gateDropout))
    }

    /// Floating-point operations for a row.
    public var operations: Int {
        levels.reduce(0) { sum, level in
            let experts = level.own.flatMap { $0 } + level.shared
            let gates = level.gates + (level.sharedGate.map { [$0] } ?? [])
            let width = level.shared.first?.outputs ?? 0
            let mixing = gates.reduce(0) { $0 + $1.outputs * (2 * width + Workspace.exponentialOperations) }
            return sum + experts.reduce(0) { $0 + $1.operations } + gates.reduce(0) { $0 + $1.operations } + mixing
        }
    }

    /// What ``GateStatistics`` of this block counts.
    public func makeStatistics() -> GateStatistics {
        GateStatistics(gates: levels[0].gates.count, experts: levels[0].gates[0].outputs)
    }
}
