/// A moving estimate of what a candidate costs in a stage: mean, by sums that decay, so that a request counts by its
/// candidates; and mean deviation, as TCP estimates round trips (Jacobson, SIGCOMM 1988).
///
/// What a request costs whatever its candidates is shared out among them, so that the number that fits settles where the
/// whole stage takes as long as there is time.
struct StageCost {
    /// Seconds for a candidate.
    private var mean: Double { candidates > 0 ? seconds / candidates : 0 }
    private var deviation = 0.0
    private var seconds = 0.0
    private var candidates = 0.0

    /// What a new measurement counts.
    private static let gain = 1.0 / 8
    /// Deviations that are allowed for.
    private static let margin = 2.0

    mutating func record(_ duration: Duration, candidates count: Int) {
        guard count > 0 else { return }
        let own = duration / .seconds(1)
        if candidates == 0 {
            deviation = own / Double(count) / 2
        } else {
            // A request of few candidates tells little of what one costs.
            let weight = Self.gain * min(Double(count) / (candidates * Self.gain), 1)
            deviation += weight * (abs(own / Double(count) - mean) - deviation)
        }
        seconds += own - Self.gain * seconds
        candidates += Double(count) - Self.gain * candidates
    }

    /// Seconds that so many candidates take, at most for all that is known; 0 when nothing was measured yet.
    func estimate(_ candidates: Int) -> Double {
        (mean + Self.margin * deviation) * Double(candidates)
    }

    /// Candidates that fit into a time; all when nothing was measured yet.
    func affordable(in seconds: Double) -> Int {
        let cost = estimate(1)
        return cost > 0 ? Int(clamping: Int64(min(max(seconds, 0) / cost, 1e9))) : .max
    }
}
