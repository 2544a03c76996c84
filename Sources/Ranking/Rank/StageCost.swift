/// A moving estimate of what a candidate costs in a stage: mean and mean deviation, as TCP estimates round trips (Jacobson,
/// SIGCOMM 1988).
///
/// What a request costs whatever its candidates is shared out among them, so that the number that fits settles where the
/// whole stage takes as long as there is time.
struct StageCost {
    /// Seconds for a candidate.
    private var mean = 0.0
    private var deviation = 0.0

    /// What a new measurement counts.
    private static let gain = 1.0 / 8
    /// Deviations that are allowed for.
    private static let margin = 2.0

    mutating func record(_ duration: Duration, candidates: Int) {
        guard candidates > 0 else { return }
        let cost = duration / .seconds(1) / Double(candidates)
        if mean == 0 {
            (mean, deviation) = (cost, cost / 2)
        } else {
            deviation += Self.gain * (abs(cost - mean) - deviation)
            mean += Self.gain * (cost - mean)
        }
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
