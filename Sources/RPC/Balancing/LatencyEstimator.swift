/// Estimates a quantile of recent latencies in constant memory.
///
/// A histogram with eight buckets per power of two, so that the estimate is at most an eighth above the true quantile
/// and never below it. All counts are halved whenever the window is full: old samples fade away with a half-life of
/// half a window.
///
/// - Complexity: O(1) to record; O(buckets) once in `refreshInterval` records.
package struct LatencyEstimator: Sendable {
    /// Fewer samples say nothing about a tail.
    package static let samplesMinimum = 100
    /// Samples after which the counts are halved.
    package static let window = 4096
    private static let refreshInterval = 64
    private static let subBits = 3
    /// Latencies of 2^40 microseconds and more share the last bucket.
    private static let bucketCount = (40 - subBits + 1) << subBits

    private let quantile: Double
    private var counts = [UInt32](repeating: 0, count: bucketCount)
    private var total = 0
    private var untilRefresh = samplesMinimum
    /// Upper bound of the bucket that holds the quantile; nil before `samplesMinimum` samples.
    package private(set) var estimate: Duration?

    /// - Parameter quantile: share of the samples at or below the estimate, between 0 and 1, for instance 0.95.
    package init(quantile: Double) {
        precondition(quantile > 0 && quantile < 1, "a quantile lies between 0 and 1")
        self.quantile = quantile
    }

    package mutating func record(microseconds: Int64) {
        counts[Self.bucket(of: UInt64(max(microseconds, 0)))] += 1
        total += 1
        untilRefresh -= 1
        if untilRefresh == 0 {
            refresh()
        }
    }

    private mutating func refresh() {
        untilRefresh = Self.refreshInterval
        // The epsilon keeps 0.95 * 100 from becoming the 96th sample by rounding.
        let rank = Int((quantile * Double(total) - 1e-6).rounded(.up))
        var seen = 0
        for (bucket, count) in counts.enumerated() {
            seen += Int(count)
            if seen >= rank {
                estimate = .microseconds(Self.upperBound(of: bucket))
                break
            }
        }
        if total >= Self.window {
            halve()
        }
    }

    private mutating func halve() {
        total = 0
        for index in counts.indices {
            counts[index] /= 2
            total += Int(counts[index])
        }
    }

    /// Values below 8 have a bucket each; above, the bucket is the exponent followed by the three bits below the first.
    private static func bucket(of value: UInt64) -> Int {
        let exponent = max(0, UInt64.bitWidth - value.leadingZeroBitCount - 1 - subBits)
        let bucket = (exponent << subBits) + Int(value >> UInt64(exponent))
        return min(bucket, bucketCount - 1)
    }

    /// The largest value in a bucket.
    private static func upperBound(of bucket: Int) -> Int64 {
        let exponent = max(0, (bucket >> subBits) - 1)
        let mantissa = bucket - (exponent << subBits)
        return (Int64(mantissa + 1) << Int64(exponent)) - 1
    }
}
