/// What an optimizer remembers of its parameters, by their names: to go on in another run.
public struct OptimizerMemory: Sendable {
    /// Steps made.
    public var steps: Int
    /// Adam's second moments, or Adagrad's sums of squares, `[rows * columns]` each.
    public var squares: [String: [Float]]
    /// Adam's first moments.
    public var means: [String: [Float]]

    public init(steps: Int = 0, squares: [String: [Float]] = [:], means: [String: [Float]] = [:]) {
        self.steps = steps
        self.squares = squares
        self.means = means
    }
}

extension Optimizer {
    /// A copy of what is remembered.
    ///
    /// - Complexity: O(scalars).
    public var memory: OptimizerMemory {
        var memory = OptimizerMemory(steps: steps)
        for (parameter, state) in memories {
            let moments = state.moments
            memory.squares[parameter.name] = moments.squares
            memory.means[parameter.name] = moments.means
        }
        return memory
    }

    /// Goes on from what another run remembered; of a parameter that it does not know nothing is changed.
    public func restore(_ memory: OptimizerMemory) {
        setSteps(memory.steps)
        for (parameter, state) in memories {
            let name = parameter.name
            guard let squares = memory.squares[name] else { continue }
            state.restore(.init(squares: squares, means: memory.means[name]))
        }
    }
}
