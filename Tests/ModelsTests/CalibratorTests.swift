import Blobs
import Foundation
import Models
import Testing

/// Calibrators against other ways to the same fit: Resources/calibration.py.
@Suite struct CalibratorTests {
    struct Golden: Decodable {
        var probabilities: [Float]
        var labels: [Bool]
        var slope: Float
        var intercept: Float
        var points: [Float]
        var fitted: [Float]
    }

    private let golden: Golden

    init() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/calibration.json")
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    @Test func platt() throws {
        let fit = try #require(Calibrator.platt(probabilities: golden.probabilities, labels: golden.labels))
        guard case .platt(let slope, let intercept) = fit else {
            Issue.record("not Platt's")
            return
        }
        #expect(abs(slope - golden.slope) < 1e-5 && abs(intercept - golden.intercept) < 1e-5)
        // By hand: sigmoid(2 log(0.8 / 0.2) + 1).
        #expect(abs(Calibrator.platt(slope: 2, intercept: 1)(0.8) - 0.977_524) < 1e-6)
    }

    @Test func isotonic() throws {
        let fit = try #require(Calibrator.isotonic(probabilities: golden.probabilities, labels: golden.labels))
        for (point, value) in zip(golden.points, golden.fitted) {
            #expect(abs(fit(point) - min(max(value, 1e-6), 1 - 1e-6)) < 1e-6, "\(point)")
        }
    }

    /// A column of three, with rows beyond one piece of what the stack takes.
    @Test(arguments: [0, 1, 128, 300])
    func aColumnIsCalibratedAsOnePredictionIs(rows: Int) {
        for calibrator in [
            Calibrator.platt(slope: 0.8, intercept: -0.3), .isotonic(points: [0.2, 0.9], values: [0.1, 0.7]),
        ] {
            let before = (0..<3 * rows).map { Float($0 % 101) / 100 }
            var after = before
            after.withUnsafeMutableBufferPointer { calibrator.calibrate($0, column: 1, of: 3) }
            for (place, value) in before.enumerated() {
                let expected = place % 3 == 1 ? calibrator(value) : value
                #expect(abs(after[place] - expected) <= 1e-6 * max(expected, 1e-3), "\(place)")
            }
        }
    }

    @Test func betweenPointsItIsStraightAndOutsideLevel() {
        let calibrator = Calibrator.isotonic(points: [0.2, 0.4, 0.5], values: [0.1, 0.3, 0.9])
        #expect(
            [0, 0.2, 0.3, 0.45, 0.5, 1].map { calibrator($0) }.elementsEqual([0.1, 0.1, 0.2, 0.6, 0.9, 0.9]) {
                abs($0 - $1) < 1e-6
            })
    }

    @Test func oneClassHasNoFit() {
        #expect(Calibrator.platt(probabilities: [0.1, 0.2], labels: [true, true]) == nil)
        #expect(Calibrator.isotonic(probabilities: [0.1, 0.2], labels: [false, false]) == nil)
    }

    @Test func theComponentComesBackAndDamageIsRefused() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let rate = try #require(FinishRate(logSeconds: [1, 2], rates: [0.9, 0.25]))
        let calibration = RankerCalibration(
            heads: [
                "click": .platt(slope: 0.5, intercept: -1), "like": .isotonic(points: [0.1, 0.2], values: [0, 0.5]),
            ],
            finishRates: ["finish": rate])
        try calibration.writer().write(to: path)
        #expect(try RankerCalibration(SafetensorsFile(path: path)) == calibration)
        try RankerCalibration(heads: ["like": .isotonic(points: [0.2, 0.1], values: [0, 0.5])]).writer().write(to: path)
        let error = #expect(throws: ModelError.self) { try RankerCalibration(SafetensorsFile(path: path)) }
        #expect(error?.message.contains("the calibrator of 'like' does not rise") == true)
    }

    /// By hand: buckets of two rows at 10, 20, 40 and 80 seconds with rates 1, 0.5, 0.5 and 0.25; the two alike are pooled.
    @Test func finishRateFallsWithTheLength() throws {
        let seconds: [Float] = [80, 10, 20, 40, 10, 20, 40, 80, 0]
        let finished: [Float] = [0, 1, 1, 1, 1, 0, 0, 0.5, 1]
        let rate = try #require(FinishRate.fitted(seconds: seconds, finished: finished, buckets: 4))
        #expect(rate.rates == [1, 0.5, 0.25])
        let places: [Float] = [log(10), log(Float(800).squareRoot()), log(80)]
        #expect(zip(rate.logSeconds, places).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(rate(seconds: 1) == 1 && rate(seconds: 1000) == 0.25 && rate(seconds: 0) == 1)
        #expect(abs(rate(seconds: Float(8000).squareRoot()) - 0.25) < 1e-6)
        // Half way between the first two points on the log scale.
        #expect(abs(rate(seconds: (10 * Float(800).squareRoot()).squareRoot()) - 0.75) < 1e-5)
        #expect(abs(rate.adjusted(0.5, seconds: 80) - 2) < 1e-5)
        #expect(FinishRate.fitted(seconds: [0], finished: [1]) == nil)
        #expect(FinishRate(logSeconds: [1, 1], rates: [1, 1]) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(FinishRate.self, from: Data(#"{"logSeconds": [1], "rates": [2]}"#.utf8))
        }
    }
}
