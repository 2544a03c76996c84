import Catalog
import Evaluation
import Features
import Foundation
import Kernels
import Testing

/// Expected figures come from scikit-learn and NumPy: Resources/metrics.py.
struct MetricsTests {
    struct Golden: Decodable {
        var binary: [Binary]
        var retrieval: [Retrieval]
        var priors: [Prior]
        var graded: [Graded]
    }

    struct Binary: Decodable {
        var scores: [Float]
        var probabilities: [Float]
        var labels: [Bool]
        var groups: [UInt32]
        var areaUnderCurve: Double
        var groupedAreaUnderCurve: Double?
        var logLoss: Double
        var calibrationError: Double
        var calibrationRatio: Double
    }

    struct Retrieval: Decodable {
        var ranked: [UInt64]
        var relevant: [UInt64]
        var k: Int
        var recall: Double
        var hitRate: Double
        var normalizedGain: Double
        var precision: Double
        var averagePrecision: Double
    }

    struct Graded: Decodable {
        var scores: [Float]
        var gains: [Float]
        var groups: [UInt32]
        var k: Int
        var normalizedGain: Double
    }

    struct Prior: Decodable {
        var successes: [Float]
        var trials: [Float]
        var a: Double
        var b: Double
    }

    static func golden() throws -> Golden {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/metrics.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    private func expectEqual(_ value: Double?, _ expected: Double?, within tolerance: Double = 1e-6) {
        switch (value, expected) {
        case (nil, nil): break
        case (let value?, let expected?): #expect(abs(value - expected) < tolerance, "\(value) for \(expected)")
        default: Issue.record("\(String(describing: value)) for \(String(describing: expected))")
        }
    }

    @Test func binaryMetricsMatchScikitLearn() throws {
        let cases = try Self.golden().binary
        #expect(cases.count == 4)
        for example in cases {
            expectEqual(
                BinaryMetrics.areaUnderCurve(scores: example.scores, labels: example.labels), example.areaUnderCurve)
            expectEqual(
                BinaryMetrics.groupedAreaUnderCurve(
                    scores: example.scores, labels: example.labels, groups: example.groups),
                example.groupedAreaUnderCurve)
            expectEqual(
                BinaryMetrics.logLoss(probabilities: example.probabilities, labels: example.labels), example.logLoss)
            expectEqual(
                BinaryMetrics.expectedCalibrationError(probabilities: example.probabilities, labels: example.labels),
                example.calibrationError)
            expectEqual(
                BinaryMetrics.calibrationRatio(probabilities: example.probabilities, labels: example.labels),
                example.calibrationRatio)
        }
    }

    @Test func figuresThatDoNotExistAreNil() {
        #expect(BinaryMetrics.areaUnderCurve(scores: [], labels: []) == nil)
        #expect(BinaryMetrics.areaUnderCurve(scores: [1, 2], labels: [true, true]) == nil)
        #expect(BinaryMetrics.groupedAreaUnderCurve(scores: [1, 2], labels: [true, false], groups: [1, 2]) == nil)
        #expect(BinaryMetrics.logLoss(probabilities: [], labels: []) == nil)
        #expect(BinaryMetrics.calibrationRatio(probabilities: [0.5], labels: [false]) == nil)

    }

    /// By hand, exactly: of 100 rows of probability 1/2 the mean distance is 50 C(100, 50) / 2^100 / 100 = 0.0397946; 400 rows
    /// of 0.05 beside them are off by E|X - 20| = 3.46340 for a binomial X.
    @Test func calibrationErrorOfChance() {
        let halves = [Float](repeating: 0.5, count: 100)
        expectEqual(BinaryMetrics.calibrationErrorOfChance(probabilities: halves), 0.0397946, within: 2e-4)
        let both = halves + [Float](repeating: 0.05, count: 400)
        expectEqual(
            BinaryMetrics.calibrationErrorOfChance(probabilities: both), (3.97946 + 3.46340) / 500, within: 2e-4)
        #expect(BinaryMetrics.calibrationErrorOfChance(probabilities: []) == nil)
    }

    /// By hand: ratios 1.2 / 2, 0.9 / 1 and 0.3 / 1; errors over the bins that hold the predictions.
    @Test func calibrationByHeadAndSegment() {
        var report = CalibrationReport()
        report.add(
            head: "click", probabilities: [0.75, 0.15, 0.15, 0.15], labels: [true, false, true, false],
            segments: ["new", "new", "old", "old"])
        #expect(report.lines.map(\.segment) == [nil, "new", "old"])
        #expect(report.lines.map(\.rows) == [4, 2, 2] && report.lines.map(\.positives) == [2, 1, 1])
        for (line, (error, ratio)) in zip(report.lines, [(0.2, 0.6), (0.2, 0.9), (0.35, 0.3)]) {
            expectEqual(line.expectedCalibrationError, error)
            expectEqual(line.ratio, ratio)
        }
        report.add(head: "like", probabilities: [], labels: [])
        #expect(report.lines[3].expectedCalibrationError == nil && report.lines[3].ratio == nil)
    }

    @Test func retrievalMetricsMatchScikitLearn() throws {
        let cases = try Self.golden().retrieval
        #expect(cases.count == 4)
        for example in cases {
            let hits = example.ranked.indices.filter { example.relevant.contains(example.ranked[$0]) }
            let (relevant, k) = (example.relevant.count, example.k)
            expectEqual(RetrievalMetrics.recall(hits: hits, relevant: relevant, at: k), example.recall)
            expectEqual(RetrievalMetrics.hitRate(hits: hits, at: k), example.hitRate)
            expectEqual(RetrievalMetrics.normalizedGain(hits: hits, relevant: relevant, at: k), example.normalizedGain)
            expectEqual(RetrievalMetrics.precision(hits: hits, at: k), example.precision)
            expectEqual(
                RetrievalMetrics.averagePrecision(hits: hits, relevant: relevant, at: k), example.averagePrecision)
        }
    }

    @Test func gradedGainsMatchScikitLearn() throws {
        for example in try Self.golden().graded {
            expectEqual(
                RetrievalMetrics.normalizedGain(
                    scores: example.scores, gains: example.gains, groups: example.groups, at: example.k),
                example.normalizedGain)
        }
        #expect(RetrievalMetrics.normalizedGain(scores: [1, 2], gains: [0, 0], groups: [1, 1], at: 10) == nil)
    }

    @Test func priorsMatchTheMomentsOfNumPy() throws {
        let cases = try Self.golden().priors
        #expect(cases.count == 3)
        for example in cases {
            let prior = BetaPrior(successes: example.successes, trials: example.trials)
            #expect(abs(prior.a / example.a - 1) < 1e-9)
            #expect(abs(prior.b / example.b - 1) < 1e-9)
        }
    }

    @Test func priorsStayFiniteAtTheEdges() {
        #expect(BetaPrior(successes: [], trials: []) == BetaPrior(a: 0.5, b: 0.5))
        // One thing, no spread, only successes, only failures.
        for (successes, trials) in [([3], [5]), ([2, 2, 2], [4, 4, 4]), ([4, 4], [4, 4]), ([0, 0], [9, 1])] {
            let prior = BetaPrior(successes: successes.map(Float.init), trials: trials.map(Float.init))
            #expect(prior.logOdds.isFinite && prior.a > 0 && prior.b > 0 && prior.a + prior.b <= 1_000.001)
        }
        // By hand: a = 1, b = 3, 2 of 4 -> (2 + 1) / (2 + 3).
        #expect(abs(BetaPrior(a: 1, b: 3).logOdds(successes: 2, trials: 4) - Float(log(3.0 / 5.0))) < 1e-6)
    }
}
