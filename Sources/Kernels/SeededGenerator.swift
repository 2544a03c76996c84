#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// SplitMix64 (Steele, Lea, Flood 2014): spreads one seed over many words.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// xoshiro256** (Blackman and Vigna 2018): the project's random numbers; the same seed gives the same sequence everywhere.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    public init(seed: UInt64) {
        var words = SplitMix64(seed: seed)
        state = (words.next(), words.next(), words.next(), words.next())
    }

    /// An independent sequence for part `stream` of a computation (a name's hash, a worker's number).
    public init(seed: UInt64, stream: UInt64) {
        var mixed = SplitMix64(seed: stream)
        self.init(seed: seed ^ mixed.next())
    }

    /// Continues from a raw state, not all zero.
    package init(state: (UInt64, UInt64, UInt64, UInt64)) {
        self.state = state
    }

    /// The state, four words: `init(state:)` goes on from it.
    package var words: [UInt64] { [state.0, state.1, state.2, state.3] }

    public mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }

    /// Uniform in 0..<1, of 24 random bits.
    public mutating func uniform() -> Float {
        Float(next() >> 40) * 0x1p-24
    }

    /// Uniform in 0..<1, of 53 random bits.
    public mutating func uniformDouble() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Standard normal, by Box and Muller.
    public mutating func normal() -> Double {
        // 1 - u is in 0<...1: its logarithm is finite.
        let radius = (-2 * log(1 - uniformDouble())).squareRoot()
        return radius * cos(2 * .pi * uniformDouble())
    }
}
