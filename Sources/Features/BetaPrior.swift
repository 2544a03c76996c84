import Foundation

/// What is believed of a rate before anything of its own is seen: a beta distribution with `a` successes and `b` failures.
///
/// The smoothed rate of a thing is `(successes + a) / (trials + a + b)`: with few trials it stays near the common rate,
/// with many it is the thing's own.
public struct BetaPrior: Hashable, Sendable, Codable {
    public var a: Double
    public var b: Double

    public init(a: Double, b: Double) {
        precondition(a > 0 && b > 0, "a beta distribution needs positive parameters")
        self.a = a
        self.b = b
    }

    /// The prior that explains the spread of many rates, by the method of moments for the beta-binomial
    /// (Kleinman 1973, weights = trials):
    /// with m = Σs/Σn, S = Σ n (s/n - m)² and k things, the correlation of two trials of one thing is
    /// ρ = (S / (m (1 - m)) - (k - 1)) / (Σn - Σn²/Σn - (k - 1)), and a + b = 1/ρ - 1, a = m (a + b).
    ///
    /// Where the rates show no spread beyond chance the strength `a + b` is `strengthMax`; it is never below 1. Things
    /// without trials do not count. Without any success or any failure the rate is taken half a trial from the edge.
    ///
    /// - Complexity: O(n).
    public init(successes: some Sequence<Float>, trials: some Sequence<Float>, strengthMax: Double = 1_000) {
        var things = 0.0
        var (sumS, sumN, sumNN, sumSSoverN) = (0.0, 0.0, 0.0, 0.0)
        for (s, n) in zip(successes, trials) where n > 0 {
            let (s, n) = (Double(s), Double(n))
            things += 1
            sumS += s
            sumN += n
            sumNN += n * n
            sumSSoverN += s * s / n
        }
        guard sumN > 0 else {
            self.init(a: 0.5, b: 0.5)
            return
        }
        let mean = min(max(sumS, 0.5), max(sumN - 0.5, 0.5)) / sumN
        let rate = min(max(mean, 1e-6), 1 - 1e-6)
        let spread = (sumSSoverN - sumS * sumS / sumN) / (rate * (1 - rate)) - (things - 1)
        let scale = sumN - sumNN / sumN - (things - 1)
        let correlation = scale > 0 ? spread / scale : 0
        let strength = correlation > 0 ? min(max(1 / correlation - 1, 1), strengthMax) : strengthMax
        self.init(a: rate * strength, b: (1 - rate) * strength)
    }

    public var mean: Double { a / (a + b) }

    /// log(rate / (1 - rate)) of the smoothed rate.
    public func logOdds(successes: Float, trials: Float) -> Float {
        // Successes above trials happen in logs that miss a showing; they count as that many showings.
        let failures = max(trials - successes, 0)
        return log((successes + Float(a)) / (failures + Float(b)))
    }

    /// Log-odds of the prior's own mean: what ``logOdds(successes:trials:)`` gives without trials.
    public var logOdds: Float { Float(log(a / b)) }
}
