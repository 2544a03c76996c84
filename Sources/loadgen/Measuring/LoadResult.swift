/// What a run measured. Latencies are milliseconds from the intended start of a request to its answer.
package struct LoadResult: Codable, Sendable {
    package var target: String
    package var arrivals: String
    /// Requests per second that were meant; nil when closed-loop.
    package var rate: Double?
    package var concurrency: Int?
    /// Length of the measured part.
    package var seconds: Double
    package var users: Int
    package var totals = LoadCounts()
    /// Failed requests by gRPC status.
    package var errors: [String: Int] = [:]
    /// Answers by the snapshot they ran on.
    package var versions: [String: Int] = [:]
    package var latency = LatencySummary()
    /// Points of the percentile curve, ascending.
    package var percentiles: [PercentilePoint] = []
    package var timeline: [LoadWindow] = []

    package init(
        target: String, arrivals: String, rate: Double?, concurrency: Int?, seconds: Double, users: Int
    ) {
        self.target = target
        self.arrivals = arrivals
        self.rate = rate
        self.concurrency = concurrency
        self.seconds = seconds
        self.users = users
    }

    /// Answered requests per second.
    package var throughput: Double {
        seconds > 0 ? Double(totals.answered) / seconds : 0
    }
}

/// How many requests ended how.
package struct LoadCounts: Codable, Sendable, Hashable {
    package var answered = 0
    package var failed = 0
    /// Answered, but some shard or channel was missing.
    package var partial = 0
    /// Answered in recall order.
    package var unranked = 0
    /// Answered with fewer items than asked for.
    package var short = 0
    /// Explained, and each stage's version compared with the page's.
    package var compared = 0
    package var mixed = 0
    package var eventsAccepted = 0
    package var eventsFailed = 0

    package init() {}
}

/// Latencies in milliseconds.
package struct LatencySummary: Codable, Sendable, Hashable {
    package var mean = 0.0
    package var p50 = 0.0
    package var p90 = 0.0
    package var p95 = 0.0
    package var p99 = 0.0
    package var p999 = 0.0
    package var max = 0.0

    package init() {}
}

package struct PercentilePoint: Codable, Sendable, Hashable {
    package var percentile: Double
    package var milliseconds: Double
}

/// One second of a run, by the time of the answer.
package struct LoadWindow: Codable, Sendable {
    /// Seconds since the measured part began.
    package var second: Int
    package var counts = LoadCounts()
    package var versions: [String: Int] = [:]
    package var latency = LatencySummary()
    /// Requests without an answer at the end of the second.
    package var inFlight = 0

    package init(second: Int) {
        self.second = second
    }
}
