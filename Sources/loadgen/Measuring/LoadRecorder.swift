import Histogram
import Synchronization

/// Counts answers as they come, second by second and in total.
package final class LoadRecorder: Sendable {
    /// How one request ended.
    package struct Outcome: Sendable {
        /// From the intended start.
        package var latency: Duration
        /// gRPC status of a failed request.
        package var error: String?
        package var version = ""
        package var isPartial = false
        package var isUnranked = false
        package var isShort = false
        /// Whether the stages' versions agreed with the page's; nil when they were not asked for.
        package var versionsAgree: Bool?

        package init(latency: Duration, error: String? = nil) {
            self.latency = latency
            self.error = error
        }
    }

    private struct State {
        var totals = LoadCounts()
        var errors: [String: Int] = [:]
        var versions: [String: Int] = [:]
        var latencies = LatencyHistogram()
        var window = LoadWindow(second: 0)
        var windowLatencies = LatencyHistogram()
        var timeline: [LoadWindow] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func record(_ outcome: Outcome) {
        state.withLock { state in
            state.totals.add(outcome)
            state.window.counts.add(outcome)
            if let error = outcome.error {
                state.errors[error, default: 0] += 1
                return
            }
            state.versions[outcome.version, default: 0] += 1
            state.window.versions[outcome.version, default: 0] += 1
            state.latencies.record(outcome.latency)
            state.windowLatencies.record(outcome.latency)
        }
    }

    package func recordEvent(accepted: Bool) {
        state.withLock { state in
            if accepted { state.totals.eventsAccepted += 1 } else { state.totals.eventsFailed += 1 }
        }
    }

    /// Ends the current second and returns it.
    package func closeWindow(inFlight: Int) -> LoadWindow {
        state.withLock { state in
            var window = state.window
            window.latency = state.windowLatencies.summary
            window.inFlight = inFlight
            state.timeline.append(window)
            state.window = LoadWindow(second: window.second + 1)
            state.windowLatencies.reset()
            return window
        }
    }

    /// Adds what was recorded to an empty result.
    package func fill(_ result: inout LoadResult) {
        state.withLock { state in
            result.totals = state.totals
            result.errors = state.errors
            result.versions = state.versions
            result.latency = state.latencies.summary
            result.percentiles = state.latencies.curve
            result.timeline = state.timeline
        }
    }
}

extension LoadCounts {
    mutating func add(_ outcome: LoadRecorder.Outcome) {
        guard outcome.error == nil else {
            failed += 1
            return
        }
        answered += 1
        if outcome.isPartial { partial += 1 }
        if outcome.isUnranked { unranked += 1 }
        if outcome.isShort { short += 1 }
        if let agree = outcome.versionsAgree {
            compared += 1
            if !agree { mixed += 1 }
        }
    }
}

/// Latencies in an HDR histogram of microseconds, three significant digits, up to ten minutes.
struct LatencyHistogram {
    private static let longest: UInt64 = 600_000_000
    private var histogram = Histogram<UInt32>(
        highestTrackableValue: longest, numberOfSignificantValueDigits: .three)

    mutating func record(_ latency: Duration) {
        let (seconds, attoseconds) = latency.components
        let microseconds = max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        histogram.record(min(UInt64(microseconds), Self.longest))
    }

    mutating func reset() {
        histogram.reset()
    }

    var summary: LatencySummary {
        var summary = LatencySummary()
        guard histogram.totalCount > 0 else { return summary }
        summary.mean = histogram.mean / 1000
        summary.p50 = milliseconds(50)
        summary.p90 = milliseconds(90)
        summary.p95 = milliseconds(95)
        summary.p99 = milliseconds(99)
        summary.p999 = milliseconds(99.9)
        summary.max = milliseconds(100)
        return summary
    }

    /// The percentiles of the usual logarithmic plot, as far out as the number of values supports.
    var curve: [PercentilePoint] {
        guard histogram.totalCount > 0 else { return [] }
        return [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999, 100]
            .filter { $0 == 100 || (1 - $0 / 100) * Double(histogram.totalCount) >= 1 }
            .map { PercentilePoint(percentile: $0, milliseconds: milliseconds($0)) }
    }

    private func milliseconds(_ percentile: Double) -> Double {
        Double(histogram.valueAtPercentile(percentile)) / 1000
    }
}
