/// A bar that a run must not cross, such as `p99>50ms` or `errors>0`.
package struct FailCondition: Sendable, Hashable, CustomStringConvertible {
    package enum Comparison: String, Sendable, CaseIterable {
        // Longer signs first: the parser takes the first that fits.
        case atLeast = ">="
        case atMost = "<="
        case above = ">"
        case below = "<"

        func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .above: left > right
            case .atLeast: left >= right
            case .below: left < right
            case .atMost: left <= right
            }
        }
    }

    package let description: String
    package let metric: LoadMetric
    package let comparison: Comparison
    /// Milliseconds for latencies, otherwise a plain number.
    package let bound: Double

    package init(_ text: String) throws(WorkloadError) {
        let compact = text.filter { !$0.isWhitespace }
        let found = Comparison.allCases.lazy.compactMap { sign in
            compact.firstRange(of: sign.rawValue).map { (sign, $0) }
        }.first
        guard let (comparison, range) = found else {
            throw WorkloadError("--fail-if: '\(text)' has no comparison; expected METRIC>VALUE, such as p99>50ms")
        }
        let name = String(compact[..<range.lowerBound])
        guard let metric = LoadMetric(rawValue: name) else {
            let known = LoadMetric.allCases.map(\.rawValue).joined(separator: ", ")
            throw WorkloadError("--fail-if: unknown metric '\(name)'; known: \(known)")
        }
        let value = String(compact[range.upperBound...])
        guard let bound = metric.isLatency ? Self.milliseconds(value) : Double(value), bound.isFinite, bound >= 0 else {
            let expected = metric.isLatency ? "a time such as 50ms, 800us or 1.5s" : "a number"
            throw WorkloadError("--fail-if: '\(name)' is compared with \(expected), found '\(value)'")
        }
        description = compact
        self.metric = metric
        self.comparison = comparison
        self.bound = bound
    }

    /// Whether the run has crossed the bar.
    package func isMet(by result: LoadResult) -> Bool {
        comparison.holds(metric.value(in: result), bound)
    }

    private static func milliseconds(_ text: String) -> Double? {
        for (unit, factor) in [("us", 0.001), ("ms", 1), ("s", 1000)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { $0 * factor }
        }
        return nil
    }
}

/// What a bar can be set on.
package enum LoadMetric: String, Sendable, CaseIterable {
    case p50, p90, p95, p99
    case p999 = "p99.9"
    case max, mean
    /// Requests that failed, and requests that were answered, per second.
    case errors
    case throughput
    /// Answers without some shard, and in recall order for want of a ranker.
    case partial, unranked
    /// Answers with fewer items than asked for.
    case short
    /// Explained answers whose stages ran on different snapshots.
    case mixed

    package var isLatency: Bool {
        switch self {
        case .p50, .p90, .p95, .p99, .p999, .max, .mean: true
        case .errors, .throughput, .partial, .unranked, .short, .mixed: false
        }
    }

    package func value(in result: LoadResult) -> Double {
        switch self {
        case .p50: result.latency.p50
        case .p90: result.latency.p90
        case .p95: result.latency.p95
        case .p99: result.latency.p99
        case .p999: result.latency.p999
        case .max: result.latency.max
        case .mean: result.latency.mean
        case .errors: Double(result.totals.failed)
        case .throughput: result.throughput
        case .partial: Double(result.totals.partial)
        case .unranked: Double(result.totals.unranked)
        case .short: Double(result.totals.short)
        case .mixed: Double(result.totals.mixed)
        }
    }
}
