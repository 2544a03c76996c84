public import Catalog

/// What a formula is evaluated for: n candidates.
public struct FusionCandidates {
    /// `[n]`.
    public var keys: [ItemKey]
    /// `[n, heads]`, row-major.
    public var predictions: UnsafeBufferPointer<Float>
    /// `[n]`, seconds; 0 is unknown. Empty when no term reads it.
    public var durations: [Float]
    /// `[n]`, 0...1; NaN is unknown. Empty when no term reads it.
    public var qualities: [Float]
    /// `[n]`, 0 or more; NaN is unknown. Empty when no term reads it.
    public var prices: [Float]

    public init(
        keys: [ItemKey], predictions: UnsafeBufferPointer<Float>, durations: [Float] = [], qualities: [Float] = [],
        prices: [Float] = []
    ) {
        self.keys = keys
        self.predictions = predictions
        self.durations = durations
        self.qualities = qualities
        self.prices = prices
    }
}

/// What evaluating a formula writes; kept from one evaluation to the next. One thread at a time.
public final class FusionScratch {
    /// Scores, then of each term values and contributions; `[1 + 2 terms, n]`.
    private var memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 0)
    private var count = 0
    private var terms = 0
    private var order = CandidateOrder()

    public init() {}

    deinit { memory.deallocate() }

    /// `[n]`, of the last evaluation.
    public var scores: UnsafeBufferPointer<Float> { UnsafeBufferPointer(scoreBuffer) }

    /// What a term read of a candidate, 0 when it is not known, and what it came to: a summand or a factor of the score.
    public func term(_ index: Int, of place: Int) -> (value: Float, contribution: Float) {
        (values(of: index)[place], contributions(of: index)[place])
    }

    func reset(count: Int, terms: Int) {
        let needed = count * (1 + 2 * terms)
        if memory.count < needed {
            memory.deallocate()
            memory = .allocate(capacity: needed)
            memory.initialize(repeating: 0)
        }
        (self.count, self.terms) = (count, terms)
    }

    var scoreBuffer: UnsafeMutableBufferPointer<Float> { row(0) }

    func values(of term: Int) -> UnsafeMutableBufferPointer<Float> { row(1 + 2 * term) }

    func contributions(of term: Int) -> UnsafeMutableBufferPointer<Float> { row(2 + 2 * term) }

    /// Calls `body` with each candidate's place and its position by `values`, from 1; ties by key, what is not known last.
    func rank(_ values: UnsafeMutableBufferPointer<Float>, keys: [ItemKey], _ body: (Int, Float) -> Void) {
        // The scores' row is free until the terms are combined.
        let known = scoreBuffer
        for place in values.indices { known[place] = values[place].isNaN ? -.infinity : values[place] }
        order.sort(UnsafeBufferPointer(known), keys: keys)
        for (position, place) in order.places.enumerated() { body(Int(place), Float(position + 1)) }
    }

    private func row(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: memory[index * count..<(index + 1) * count])
    }
}
