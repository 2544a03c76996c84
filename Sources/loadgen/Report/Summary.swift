import Foundation

/// `value` with so many digits after the point.
func number(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

/// One line per second while the run goes on.
struct LiveLine {
    static let header = "  second  answers  failed  partial  in flight    p50 ms    p99 ms    max ms  snapshots"

    private let window: LoadWindow

    init(_ window: LoadWindow) {
        self.window = window
    }

    var text: String {
        let counts = window.counts
        let cells = [
            ("\(window.second + 1)", 8), ("\(counts.answered)", 9), ("\(counts.failed)", 8), ("\(counts.partial)", 9),
            ("\(window.inFlight)", 11), (number(window.latency.p50, 2), 10), (number(window.latency.p99, 2), 10),
            (number(window.latency.max, 2), 10),
        ]
        let columns = cells.map { text, width in String(repeating: " ", count: max(0, width - text.count)) + text }
        return columns.joined() + "  " + window.versions.keys.sorted().joined(separator: " ")
    }
}

/// What a run came to, for people.
struct Summary {
    private let result: LoadResult

    init(_ result: LoadResult) {
        self.result = result
    }

    var text: String {
        let totals = result.totals
        let latency = result.latency
        var lines = [
            "\(totals.answered) answered, \(totals.failed) failed in \(number(result.seconds, 0)) s "
                + "(\(number(result.throughput, 1)) answers/s)",
            "latency from the intended start, ms: mean \(number(latency.mean, 2))  p50 \(number(latency.p50, 2))  "
                + "p90 \(number(latency.p90, 2))  p95 \(number(latency.p95, 2))  p99 \(number(latency.p99, 2))  "
                + "p99.9 \(number(latency.p999, 2))  max \(number(latency.max, 2))",
            "partial \(totals.partial), unranked \(totals.unranked), short \(totals.short)",
        ]
        if totals.compared > 0 { lines.append("stages compared \(totals.compared), mixed versions \(totals.mixed)") }
        if totals.eventsAccepted + totals.eventsFailed > 0 {
            lines.append("events accepted \(totals.eventsAccepted), failed \(totals.eventsFailed)")
        }
        for (error, count) in result.errors.sorted(by: { $0.key < $1.key }) { lines.append("error \(error): \(count)") }
        for (version, count) in result.versions.sorted(by: { $0.key < $1.key }) {
            lines.append("snapshot \(version): \(count) answers")
        }
        return lines.joined(separator: "\n")
    }
}
