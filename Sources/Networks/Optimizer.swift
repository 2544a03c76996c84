public import Kernels

/// How gradients change parameters.
public enum UpdateRule: Sendable, Hashable {
    /// Kingma and Ba, 2015. On embedding tables only the rows of the batch move (lazily), their moments too; the bias
    /// correction counts the optimizer's steps.
    case adam(learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8)
    /// Duchi et al., 2011; each element's sum of squares starts from `initial`.
    case adagrad(learningRate: Float = 0.05, initial: Float = 0.1, epsilon: Float = 1e-8)
}

/// Applies the gradients of a tape's backward pass. One thread at a time; uses `threads` inside, with equal results.
public final class Optimizer {
    public struct Configuration: Sendable, Hashable {
        /// For matrices.
        public var dense = UpdateRule.adam()
        /// For embedding tables.
        public var tables = UpdateRule.adagrad()
        /// Gradients are scaled down together when the length of all of them exceeds this; nil for never.
        public var clipNorm: Float?
        /// Share of a matrix's weights, times the learning rate, taken away at each step (Loshchilov and Hutter, 2019);
        /// not applied to biases and other single rows, nor to tables.
        public var weightDecay: Float = 0

        public init() {}
    }

    public let configuration: Configuration
    /// Multiplies the learning rates: for warm-up and decay.
    public var rateFactor: Float = 1
    /// Steps made.
    public private(set) var steps = 0
    private let matrices: [(parameter: DenseParameter, state: OptimizerState)]
    private let tables: [(parameter: EmbeddingTable, state: OptimizerState)]
    private let threads: Threads

    public init(_ parameters: ParameterSet, _ configuration: Configuration = .init(), threads: Threads = .one) {
        self.configuration = configuration
        self.threads = threads
        matrices = parameters.matrices.map { ($0, OptimizerState(configuration.dense, count: $0.count)) }
        tables = parameters.tables.map { ($0, OptimizerState(configuration.tables, count: $0.count)) }
    }

    /// One step along the gradients gathered since the last one, which are then cleared.
    ///
    /// - Complexity: O(scalars of matrices + rows touched * width).
    public func step() {
        steps += 1
        if let limit = configuration.clipNorm {
            let length = gradientNorm()
            if length > limit { scaleGradients(by: limit / length) }
        }
        for state in states { state.begin(step: steps, rateFactor: rateFactor) }
        for (parameter, state) in matrices {
            if let weights = parameter.mutableValues, let gradient = parameter.gradient, parameter.isTrained {
                update(parameter, weights, gradient, state)
            }
            parameter.clearGradient()
        }
        for (parameter, state) in tables {
            if let weights = parameter.mutableValues, parameter.isTrained { update(parameter, weights, state) }
            parameter.gradient.removeAll()
        }
    }

    /// A copy of the trained values and of the rules' memory of them, to go back to.
    ///
    /// - Complexity: O(scalars), in time and memory two to three times that of the parameters.
    public func checkpoint() -> Checkpoint {
        Checkpoint(
            steps: steps, values: parameters.map(\.array), moments: states.map(\.moments))
    }

    /// Makes values and memory what they were, as though no step had been made since. Between steps.
    public func restore(_ checkpoint: Checkpoint) {
        precondition(checkpoint.values.count == parameters.count, "the checkpoint of another optimizer")
        steps = checkpoint.steps
        for (parameter, values) in zip(parameters, checkpoint.values) { parameter.assign(values) }
        for (state, moments) in zip(states, checkpoint.moments) { state.restore(moments) }
    }

    /// A moment of a training run.
    public struct Checkpoint: Sendable {
        fileprivate let steps: Int
        fileprivate let values: [[Float]]
        fileprivate let moments: [OptimizerState.Moments]
    }

    /// Every parameter with what its rule remembers, in a fixed order.
    var memories: [(parameter: Parameter, state: OptimizerState)] {
        matrices.map { ($0.parameter, $0.state) } + tables.map { ($0.parameter, $0.state) }
    }

    /// Goes on from this many steps.
    func setSteps(_ count: Int) { steps = count }

    private var parameters: [Parameter] { matrices.map(\.parameter) + tables.map(\.parameter) }

    private var states: [OptimizerState] { matrices.map(\.state) + tables.map(\.state) }

    private func update(
        _ parameter: DenseParameter, _ weights: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>,
        _ state: OptimizerState
    ) {
        let decay = rateFactor * configuration.dense.learningRate * configuration.weightDecay
        threads.divide(parameter.count, grain: 65536) { range in
            if decay > 0, parameter.rows > 1 {
                kernels.scale(1 - decay, weights + range.lowerBound, weights + range.lowerBound, count: range.count)
            }
            state.apply(gradient + range.lowerBound, weights, range)
        }
    }

    private func update(
        _ table: EmbeddingTable, _ weights: UnsafeMutablePointer<Float>, _ state: OptimizerState
    ) {
        let (rows, values, width) = (table.gradient.rows, table.gradient.values, table.width)
        threads.divide(rows.count, grain: 1024) { range in
            for slot in range {
                if slot + Workspace.rowsAhead < range.upperBound {
                    let next = Int(rows[slot + Workspace.rowsAhead]) * width
                    kernels.prefetch(weights + next, count: width)
                    state.prefetch(next, count: width)
                }
                let first = Int(rows[slot]) * width
                state.apply(values + slot * width, weights, first..<first + width)
            }
        }
    }

    /// The length of all gradients gathered since the last step together.
    public func gradientNorm() -> Float {
        var square = 0.0
        for (parameter, _) in matrices where parameter.isTrained {
            if let gradient = parameter.gradient {
                square += Double(kernels.dot(gradient, gradient, count: parameter.count))
            }
        }
        for (table, _) in tables where table.isTrained {
            let gradient = table.gradient
            for slot in gradient.rows.indices {
                let row = gradient.values + slot * table.width
                square += Double(kernels.dot(row, row, count: table.width))
            }
        }
        return Float(square.squareRoot())
    }

    private func scaleGradients(by factor: Float) {
        for (parameter, _) in matrices {
            if let gradient = parameter.gradient {
                kernels.scale(factor, gradient, gradient, count: parameter.count)
            }
        }
        for (table, _) in tables {
            let gradient = table.gradient
            kernels.scale(factor, gradient.values, gradient.values, count: gradient.rows.count * table.width)
        }
    }
}

extension UpdateRule {
    var learningRate: Float {
        switch self {
        case .adam(let learningRate, _, _, _): learningRate
        case .adagrad(let learningRate, _, _): learningRate
        }
    }
}
