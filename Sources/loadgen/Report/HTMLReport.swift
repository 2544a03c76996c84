import Foundation

/// A run as one HTML file that needs nothing else: no script, no font, no network.
package struct HTMLReport {
    private let result: LoadResult
    private let conditions: [FailCondition]

    package init(_ result: LoadResult, _ conditions: [FailCondition]) {
        self.result = result
        self.conditions = conditions
    }

    package var text: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>Load on \(escaped(result.target))</title><style>\(Self.style)</style></head><body><main>
        <h1>Load on \(escaped(result.target))</h1>
        <p>\(subtitle)</p>
        \(tiles)
        \(bars)
        \(latencyOverTime.svg)
        \(answersOverTime.svg)
        \(percentileCurve.svg)
        \(counts)
        </main></body></html>

        """
    }

    private var subtitle: String {
        let pace =
            result.rate.map { "open loop, \(result.arrivals) arrivals, \(number($0, 0)) requests/s" }
            ?? "closed loop, \(result.concurrency ?? 0) callers"
        return "\(pace), \(number(result.seconds, 0)) s, \(result.users) users. "
            + "Latency counts from the intended start of each request."
    }

    private var tiles: String {
        let tiles = [
            ("answers/s", number(result.throughput, 1)), ("p50", "\(number(result.latency.p50, 2)) ms"),
            ("p99", "\(number(result.latency.p99, 2)) ms"), ("p99.9", "\(number(result.latency.p999, 2)) ms"),
            ("max", "\(number(result.latency.max, 2)) ms"), ("failed", "\(result.totals.failed)"),
            ("partial", "\(result.totals.partial)"), ("unranked", "\(result.totals.unranked)"),
        ]
        return "<div class=\"tiles\">"
            + tiles.map { "<div><b>\($0.1)</b><span>\($0.0)</span></div>" }.joined() + "</div>"
    }

    private var bars: String {
        guard !conditions.isEmpty else { return "" }
        let items = conditions.map { condition in
            let crossed = condition.isMet(by: result)
            return "<li class=\"\(crossed ? "crossed" : "kept")\">\(crossed ? "Crossed" : "Kept"): "
                + "fail if \(escaped(condition.description)), measured \(number(condition.metric.value(in: result), 3))</li>"
        }
        return "<ul>\(items.joined())</ul>"
    }

    private var latencyOverTime: LineChart {
        let windows = result.timeline
        func line(_ name: String, _ colour: String, _ value: (LatencySummary) -> Double) -> LineChart.Series {
            .init(name: name, colour: colour, points: windows.map { (Double($0.second), value($0.latency)) })
        }
        return LineChart(
            title: "Latency over time", xLabel: "second", yLabel: "ms", xTicks: secondTicks,
            series: [line("p50", "--a", \.p50), line("p99", "--b", \.p99), line("max", "--c", \.max)],
            marks: versionChanges)
    }

    private var answersOverTime: LineChart {
        func line(_ name: String, _ colour: String, _ value: (LoadCounts) -> Int) -> LineChart.Series {
            .init(
                name: name, colour: colour,
                points: result.timeline.map { (Double($0.second), Double(value($0.counts))) })
        }
        return LineChart(
            title: "Answers per second", xLabel: "second", yLabel: "per second", xTicks: secondTicks,
            series: [
                line("answered", "--a", \.answered), line("partial", "--b", \.partial), line("failed", "--c", \.failed),
            ], marks: versionChanges)
    }

    /// The usual logarithmic axis: each step towards the right is another nine.
    private var percentileCurve: LineChart {
        func nines(_ percentile: Double) -> Double { -log10(max(1 - percentile / 100, 1e-6)) }
        let finite = result.percentiles.filter { $0.percentile < 100 }
        let farthest = nines(finite.last?.percentile ?? 0)
        let ticks = [0, 50, 90, 99, 99.9, 99.99, 99.999].filter { nines($0) <= farthest + 1e-9 }
        return LineChart(
            title: "Latency by percentile", xLabel: "percentile", yLabel: "ms",
            xTicks: ticks.map { .init(at: nines($0), label: "\(number($0, $0 > 99.5 ? ($0 > 99.95 ? 2 : 1) : 0))") },
            series: [
                .init(name: "latency", colour: "--a", points: finite.map { (nines($0.percentile), $0.milliseconds) })
            ])
    }

    private var secondTicks: [LineChart.Tick] {
        let step = max(1, (result.timeline.count + 9) / 10)
        return stride(from: 0, to: result.timeline.count, by: step).map { .init(at: Double($0), label: "\($0)") }
    }

    /// The seconds in which a snapshot answered for the first time, but for the first second.
    private var versionChanges: [LineChart.Tick] {
        var known: Set<String> = []
        var changes: [LineChart.Tick] = []
        for window in result.timeline {
            let new = Set(window.versions.keys).subtracting(known)
            if !known.isEmpty, !new.isEmpty { changes.append(.init(at: Double(window.second), label: "new snapshot")) }
            known.formUnion(new)
        }
        return changes
    }

    private var counts: String {
        var rows = result.errors.sorted { $0.key < $1.key }.map { ("error \($0.key)", $0.value) }
        rows += result.versions.sorted { $0.key < $1.key }.map { ("answers on snapshot \($0.key)", $0.value) }
        rows += [
            ("answers shorter than asked", result.totals.short), ("answers explained", result.totals.compared),
            ("of these, with mixed snapshots", result.totals.mixed), ("events accepted", result.totals.eventsAccepted),
            ("events failed", result.totals.eventsFailed),
        ]
        return "<table>" + rows.map { "<tr><td>\(escaped($0.0))</td><td>\($0.1)</td></tr>" }.joined() + "</table>"
    }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private static let style = """
        :root{--page:#fbfbfa;--ink:#1d2327;--soft:#66707a;--line:#dde1e4;--a:#1f77b4;--b:#d9822b;--c:#b3282d}
        @media(prefers-color-scheme:dark){:root{--page:#15191c;--ink:#e6e9eb;--soft:#98a2ab;--line:#30373d;\
        --a:#5fa8e0;--b:#eaa04f;--c:#ea6a6e}}
        body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
        main{max-width:900px;margin:0 auto;padding:28px 20px}h1{font-size:24px;margin:0}p{color:var(--soft);margin:4px 0 20px}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(96px,1fr));gap:10px}
        .tiles div{border:1px solid var(--line);border-radius:8px;padding:10px 12px}.tiles b{display:block;font-size:17px}
        .tiles span{color:var(--soft);font-size:13px}ul{list-style:none;padding:0}li{padding:2px 0}
        .crossed{color:var(--c);font-weight:600}figure{margin:28px 0 0}figcaption{font-weight:600;margin-bottom:6px}
        svg{width:100%;height:auto}.grid{stroke:var(--line)}.mark{stroke:var(--soft);stroke-dasharray:4 3}
        .tick{fill:var(--soft);font-size:12px}polyline{fill:none;stroke-width:2;stroke-linejoin:round}
        .legend{display:flex;gap:18px;color:var(--soft);font-size:13px}.legend i{display:inline-block;width:14px;height:3px;\
        margin-right:6px;vertical-align:middle}table{margin-top:28px;border-collapse:collapse}
        td{border-top:1px solid var(--line);padding:5px 24px 5px 0}td:last-child{text-align:right;padding-right:0}
        """
}
