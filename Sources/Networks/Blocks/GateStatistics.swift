import Kernels

/// How gates use their experts, gathered over batches: whether they are polarised, and which experts are dead.
/// One thread at a time.
public final class GateStatistics {
    private let experts: Int
    /// `[gates, experts]`, sums over rows.
    private var shares: [Double]
    /// `[gates]`, sums over rows.
    private var entropies: [Double]
    private var rows: [Int]

    public init(gates: Int, experts: Int) {
        precondition(gates > 0 && experts > 0, "gates and experts are positive")
        self.experts = experts
        shares = Array(repeating: 0, count: gates * experts)
        entropies = Array(repeating: 0, count: gates)
        rows = Array(repeating: 0, count: gates)
    }

    /// Counts the rows of one gate.
    ///
    /// - Parameter weights: `[n, experts]`, rows that sum to 1.
    public func add(_ weights: Tensor, gate: Int) {
        precondition(
            weights.columns == experts && gate < rows.count, "\(experts) weights of one of \(rows.count) gates")
        weights.withUnsafeBufferPointer { values in
            for (index, weight) in values.enumerated() {
                shares[gate * experts + index % experts] += Double(weight)
                if weight > 0 { entropies[gate] -= Double(weight * logarithm(weight)) }
            }
        }
        rows[gate] += weights.rows
    }

    /// What was counted since the beginning.
    public var report: Report {
        let means = rows.indices.map { gate in
            (0..<experts).map { shares[gate * experts + $0] / Double(max(1, rows[gate])) }
        }
        let uniform = Double(logarithm(Float(experts)))
        return Report(
            meanWeights: means,
            entropies: zip(entropies, rows).map { $0 / Double(max(1, $1)) },
            evenness: zip(entropies, rows).map { uniform > 0 ? $0 / Double(max(1, $1)) / uniform : 1 })
    }

    /// How each gate divided its weight.
    public struct Report: Codable, Sendable, Hashable {
        /// `[gates][experts]`, the mean weight.
        public var meanWeights: [[Double]]
        /// Mean entropy of each gate's rows, in nats: 0 for one expert alone, log E for all alike.
        public var entropies: [Double]
        /// The entropies divided by log E.
        public var evenness: [Double]

        /// Experts whose mean weight is below `share` of an equal one at every gate: nothing they learn is used.
        public func deadExperts(share: Double = 0.05) -> [Int] {
            guard let experts = meanWeights.first?.count else { return [] }
            return (0..<experts).filter { expert in
                meanWeights.allSatisfy { $0[expert] < share / Double(experts) }
            }
        }
    }
}
