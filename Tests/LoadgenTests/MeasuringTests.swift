import Testing
import loadgen

@Suite struct MeasuringTests {
    private func result(of recorder: LoadRecorder, seconds: Double = 10) -> LoadResult {
        var result = LoadResult(
            target: "here", arrivals: "constant", rate: 100, concurrency: nil, seconds: seconds, users: 3)
        recorder.fill(&result)
        return result
    }

    /// 1 ms ... 1000 ms once each: percentiles by hand, within the histogram's three digits.
    @Test func percentilesOfKnownLatencies() {
        let recorder = LoadRecorder()
        for milliseconds in 1...1000 {
            recorder.record(LoadRecorder.Outcome(latency: .milliseconds(milliseconds)))
        }
        let latency = result(of: recorder).latency
        for (found, expected) in [
            (latency.p50, 500.0), (latency.p90, 900), (latency.p99, 990), (latency.p999, 999), (latency.max, 1000),
            (latency.mean, 500.5),
        ] {
            #expect(abs(found - expected) / expected < 0.002)
        }
        #expect(result(of: recorder).throughput == 100)
    }

    @Test func failedRequestsHaveNoLatency() {
        let recorder = LoadRecorder()
        recorder.record(LoadRecorder.Outcome(latency: .seconds(9), error: "UNAVAILABLE"))
        recorder.record(LoadRecorder.Outcome(latency: .milliseconds(2)))
        let result = result(of: recorder)
        #expect(result.totals.failed == 1)
        #expect(result.errors == ["UNAVAILABLE": 1])
        #expect(result.latency.max < 3)
    }

    @Test func windowsStartAnewAndTotalsGoOn() {
        let recorder = LoadRecorder()
        var partial = LoadRecorder.Outcome(latency: .milliseconds(8))
        partial.isPartial = true
        partial.version = "a"
        recorder.record(partial)
        let first = recorder.closeWindow(inFlight: 4)
        var other = LoadRecorder.Outcome(latency: .milliseconds(1))
        other.version = "b"
        other.versionsAgree = false
        recorder.record(other)
        let second = recorder.closeWindow(inFlight: 0)
        #expect(first.second == 0 && first.counts.partial == 1 && first.inFlight == 4)
        #expect(second.second == 1 && second.counts.partial == 0 && second.versions == ["b": 1])
        #expect(second.latency.max < 2)
        let result = result(of: recorder)
        #expect(result.versions == ["a": 1, "b": 1])
        #expect(result.totals.answered == 2 && result.totals.compared == 1 && result.totals.mixed == 1)
    }

    @Test func latenciesBeyondTheHistogramCountAsItsLongest() {
        let recorder = LoadRecorder()
        recorder.record(LoadRecorder.Outcome(latency: .seconds(86_400)))
        #expect(abs(result(of: recorder).latency.max / 600_000 - 1) < 0.002)
    }

    @Test(arguments: [
        ("p99>50ms", true), ("p99 > 120ms", false), ("p50<=100ms", true), ("max>=0.1s", true), ("p50>99000us", true),
        ("errors>0", true), ("errors>1", false), ("partial>0", false), ("throughput<1", true), ("mixed>=0", true),
    ])
    func barsAreJudged(text: String, crossed: Bool) throws {
        let recorder = LoadRecorder()
        recorder.record(LoadRecorder.Outcome(latency: .milliseconds(100)))
        recorder.record(LoadRecorder.Outcome(latency: .zero, error: "INTERNAL"))
        #expect(try FailCondition(text).isMet(by: result(of: recorder)) == crossed)
    }

    @Test(arguments: [
        ("p99", "has no comparison"), ("p98>5ms", "unknown metric 'p98'"), ("p99>5", "found '5'"),
        ("p99>fast", "found 'fast'"), ("errors>5ms", "found '5ms'"), ("errors>-1", "found '-1'"),
        (">5", "unknown metric ''"),
    ])
    func badBarsAreRefused(text: String, part: String) {
        let error = #expect(throws: WorkloadError.self) { try FailCondition(text) }
        #expect(error?.description.contains(part) == true)
    }

    @Test func reportIsOneFileAndEscapesWhatItShows() throws {
        let recorder = LoadRecorder()
        for millisecond in 1...200 { recorder.record(LoadRecorder.Outcome(latency: .milliseconds(millisecond))) }
        _ = recorder.closeWindow(inFlight: 0)
        var result = result(of: recorder)
        result.target = "<b>&\"host"
        let page = HTMLReport(result, [try FailCondition("p99>50ms"), try FailCondition("errors>0")]).text
        #expect(page.contains("&lt;b&gt;&amp;&quot;host") && !page.contains("<b>&"))
        #expect(page.contains("Crossed: fail if p99&gt;50ms") && page.contains("Kept: fail if errors&gt;0"))
        #expect(page.matches(of: /<svg/).count == 3)
        #expect(!page.contains("http") && !page.contains("<script"))
    }
}
