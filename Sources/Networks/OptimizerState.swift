import Kernels

/// What an update rule remembers of one parameter: running moments (Adam) or sums of squares (Adagrad).
final class OptimizerState {
    private let rule: UpdateRule
    private let count: Int
    /// Adam's second moment, or Adagrad's sum of squares.
    private let squares: UnsafeMutablePointer<Float>
    /// Adam's first moment.
    private let means: UnsafeMutablePointer<Float>?
    private var adam: AdamStep?
    private var rateFactor: Float = 1

    init(_ rule: UpdateRule, count: Int) {
        self.rule = rule
        self.count = count
        squares = .allocate(capacity: max(1, count))
        switch rule {
        case .adam:
            squares.initialize(repeating: 0, count: count)
            let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count))
            memory.initialize(repeating: 0, count: count)
            means = memory
        case .adagrad(_, let initial, _):
            squares.initialize(repeating: initial, count: count)
            means = nil
        }
    }

    deinit {
        squares.deallocate()
        means?.deallocate()
    }

    /// Whether first moments are kept.
    var hasMeans: Bool { means != nil }

    /// A copy of what is remembered.
    var moments: Moments {
        Moments(
            squares: Array(UnsafeBufferPointer(start: squares, count: count)),
            means: means.map { Array(UnsafeBufferPointer(start: $0, count: count)) })
    }

    /// Goes back to what was remembered of the same parameter.
    func restore(_ moments: Moments) {
        precondition(moments.squares.count == count, "the moments of another parameter")
        squares.update(from: moments.squares, count: count)
        if let values = moments.means { means?.update(from: values, count: count) }
    }

    struct Moments: Sendable {
        var squares: [Float]
        var means: [Float]?
    }

    /// The constants of step number `step`, counted from 1, for `apply`.
    func begin(step: Int, rateFactor: Float) {
        self.rateFactor = rateFactor
        if case .adam(let learningRate, let beta1, let beta2, let epsilon) = rule {
            adam = AdamStep(
                learningRate: rateFactor * learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, step: step)
        }
    }

    /// Brings the memory of elements `first ..< first + count` into the cache.
    func prefetch(_ first: Int, count: Int) {
        kernels.prefetch(squares + first, count: count)
        if let means { kernels.prefetch(means + first, count: count) }
    }

    /// Moves elements `range` of `weights` along their gradient, `[range.count]`.
    func apply(_ gradient: UnsafePointer<Float>, _ weights: UnsafeMutablePointer<Float>, _ range: Range<Int>) {
        let first = range.lowerBound
        switch rule {
        case .adam:
            guard let means, let adam else { return }
            kernels.adam(
                adam, gradient: gradient, weights: weights + first, m: means + first, v: squares + first,
                count: range.count)
        case .adagrad(let learningRate, _, let epsilon):
            kernels.adagrad(
                learningRate: rateFactor * learningRate, epsilon: epsilon, gradient: gradient,
                weights: weights + first, accumulator: squares + first, count: range.count)
        }
    }
}
