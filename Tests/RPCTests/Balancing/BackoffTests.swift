import NIOCore
import RPC
import Testing

/// SplitMix64 (Steele, Lea, Flood 2014): enough randomness for tests, the same on each run.
struct TestGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A time in seconds on an imagined clock.
func at(_ seconds: Double) -> NIODeadline {
    .uptimeNanoseconds(UInt64((seconds * 1e9).rounded()))
}

func milliseconds(_ time: TimeAmount) -> Int {
    Int((Double(time.nanoseconds) / 1e6).rounded())
}

struct BackoffTests {
    private var exact: BackoffConfiguration {
        var configuration = BackoffConfiguration()
        configuration.jitter = 0
        configuration.maximum = .seconds(120)
        return configuration
    }

    @Test("Waits grow as gRPC's connection-backoff.md says: 1 s, times 1.6, to 120 s")
    func growth() {
        var generator = TestGenerator(state: 1)
        var backoff = Backoff(exact)
        var now = at(0)
        var waits: [Int] = []
        for _ in 0..<13 {
            _ = backoff.attemptStarted(at: now, using: &generator)
            let next = backoff.retryTime(after: now)
            waits.append(milliseconds(next - now))
            now = next
        }
        // 1.6^n seconds by hand, cut at 120.
        #expect(
            waits == [
                1000, 1600, 2560, 4096, 6554, 10486, 16777, 26844, 42950, 68719, 109951, 120_000, 120_000,
            ])
    }

    @Test func attemptThatTookLongIsFollowedAtOnce() {
        var generator = TestGenerator(state: 1)
        var backoff = Backoff(exact)
        _ = backoff.attemptStarted(at: at(5), using: &generator)
        #expect(backoff.retryTime(after: at(5.2)) == at(6))
        #expect(backoff.retryTime(after: at(9)) == at(9))
    }

    @Test func attemptIsGivenUpAfterTwentySecondsOrTheWait() {
        var generator = TestGenerator(state: 1)
        var configuration = exact
        configuration.multiplier = 30
        var backoff = Backoff(configuration)
        #expect(backoff.attemptStarted(at: at(0), using: &generator) == at(20))
        #expect(backoff.attemptStarted(at: at(20), using: &generator) == at(50))
    }

    @Test func resetStartsOver() {
        var generator = TestGenerator(state: 1)
        var backoff = Backoff(exact)
        for second in 0..<8 {
            _ = backoff.attemptStarted(at: at(Double(second)), using: &generator)
        }
        backoff.reset()
        #expect(backoff.retryTime(after: at(8)) == at(8))
        _ = backoff.attemptStarted(at: at(8), using: &generator)
        #expect(backoff.retryTime(after: at(8)) == at(9))
    }

    @Test("Jitter spreads the first wait evenly over 0.8 ... 1.2 s")
    func jitter() {
        var generator = TestGenerator(state: 7)
        var waits: [Double] = []
        for _ in 0..<2000 {
            var backoff = Backoff()
            _ = backoff.attemptStarted(at: at(0), using: &generator)
            waits.append(Double(milliseconds(backoff.retryTime(after: at(0)) - at(0))) / 1000)
        }
        #expect(waits.allSatisfy { (0.8...1.2).contains($0) })
        #expect(waits.contains { $0 < 0.82 } && waits.contains { $0 > 1.18 })
        let mean = waits.reduce(0, +) / 2000
        // Standard error of the mean of 2,000 uniform draws of width 0.4 is 0.0026.
        #expect(abs(mean - 1) < 0.013)
    }
}
