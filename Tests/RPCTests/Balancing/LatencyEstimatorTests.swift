import RPC
import Testing

struct LatencyEstimatorTests {
    @Test func saysNothingBeforeEnoughSamples() {
        var estimator = LatencyEstimator(quantile: 0.95)
        for _ in 0..<(LatencyEstimator.samplesMinimum - 1) {
            estimator.record(microseconds: 10)
        }
        #expect(estimator.estimate == nil)
        estimator.record(microseconds: 10)
        #expect(estimator.estimate == .microseconds(10))
    }

    @Test("Small values are exact", arguments: [0, 1, 7, 8, 9, 15])
    func small(value: Int64) {
        var estimator = LatencyEstimator(quantile: 0.5)
        for _ in 0..<100 {
            estimator.record(microseconds: value)
        }
        #expect(estimator.estimate == .microseconds(value))
    }

    @Test("A constant latency is estimated at most an eighth too high", arguments: [16, 33, 1000, 123_456, 60_000_000])
    func constant(value: Int64) throws {
        var estimator = LatencyEstimator(quantile: 0.95)
        for _ in 0..<100 {
            estimator.record(microseconds: value)
        }
        let estimate = try #require(estimator.estimate)
        #expect(estimate >= .microseconds(value))
        #expect(estimate <= .microseconds(value + value / 8))
    }

    @Test func quantileOfAKnownSet() throws {
        var estimator = LatencyEstimator(quantile: 0.95)
        // 95 of 100 samples are at most 9, the other five 900: the 95th in order is 9.
        for index in 0..<100 {
            estimator.record(microseconds: index % 20 == 0 ? 900 : 9)
        }
        #expect(estimator.estimate == .microseconds(9))
        var higher = LatencyEstimator(quantile: 0.96)
        for index in 0..<100 {
            higher.record(microseconds: index % 20 == 0 ? 900 : 9)
        }
        #expect(try #require(higher.estimate) >= .microseconds(900))
    }

    @Test func followsAChangeOfLoad() throws {
        var estimator = LatencyEstimator(quantile: 0.95)
        for _ in 0..<20_000 {
            estimator.record(microseconds: 100)
        }
        for _ in 0..<(2 * LatencyEstimator.window) {
            estimator.record(microseconds: 10_000)
        }
        #expect(try #require(estimator.estimate) >= .milliseconds(10))
        for _ in 0..<(8 * LatencyEstimator.window) {
            estimator.record(microseconds: 100)
        }
        #expect(try #require(estimator.estimate) < .microseconds(120))
    }

    @Test func extremesAreHeld() throws {
        var estimator = LatencyEstimator(quantile: 0.5)
        for _ in 0..<100 {
            estimator.record(microseconds: .max)
        }
        #expect(try #require(estimator.estimate) == .microseconds((1 << 40) - 1))
        var negative = LatencyEstimator(quantile: 0.5)
        for _ in 0..<100 {
            negative.record(microseconds: -5)
        }
        #expect(negative.estimate == .zero)
    }
}
