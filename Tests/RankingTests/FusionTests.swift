import Catalog
import Foundation
import Models
import Ranking
import Testing

@Suite struct FusionTests {
    private static let heads = ["click", "like", "watch_time"]
    /// Four candidates: p_click, p_like, seconds.
    private static let predictions: [[Float]] = [[0.5, 0.1, 8], [0.25, 0.4, 0], [0.5, 0, 24], [0, 0.2, 3]]

    private func scores(
        _ specification: FusionSpecification, predictions: [[Float]] = Self.predictions, durations: [Float] = [],
        qualities: [Float] = [], prices: [Float] = [], finishRates: [String: FinishRate] = [:],
        scratch: FusionScratch = FusionScratch()
    ) throws -> [Float] {
        let formula = try FusionFormula(
            specification, heads: Self.heads, of: "the model", finishRates: finishRates)
        predictions.flatMap(\.self).withUnsafeBufferPointer {
            formula.score(
                FusionCandidates(
                    keys: predictions.indices.map { ItemKey(rawValue: UInt64(9 - $0)) }, predictions: $0,
                    durations: durations, qualities: qualities, prices: prices), in: scratch)
        }
        return Array(scratch.scores)
    }

    private func expect(_ found: [Float], _ expected: [Float]) {
        #expect(found.count == expected.count)
        for (left, right) in zip(found, expected) { #expect(abs(left - right) <= 1e-6 * max(1, abs(right))) }
    }

    /// 0.5 + 2 * 0.1 - 0.01 * 8 = 0.62, and so on.
    @Test func weightedSum() throws {
        let formula = FusionSpecification(
            .sum,
            [
                FusionTerm(head: "click"), FusionTerm(head: "like", weight: 2),
                FusionTerm(head: "watch_time", weight: -0.01),
            ])
        expect(try scores(formula), [0.62, 1.05, 0.26, 0.37])
    }

    /// 0.5 * (1 + 3 * 0.1 + 0.1 * 8) = 1.05, and so on.
    @Test func clickTimesOneAndASum() throws {
        let formula = FusionSpecification(
            .clickTimes, [FusionTerm(head: "like", weight: 3), FusionTerm(head: "watch_time", weight: 0.1)])
        expect(try scores(formula), [1.05, 0.55, 1.7, 0])
    }

    /// (1 + 8)^0.5 * (1 + 10 * 0.1)^2 = 12; 1 * 5^2 = 25; 25^0.5 * 1 = 5; 4^0.5 * 3^2 = 18.
    @Test func productOfPowers() throws {
        let formula = FusionSpecification(
            .powers, [FusionTerm(head: "watch_time", power: 0.5), FusionTerm(head: "like", weight: 10, power: 2)])
        expect(try scores(formula), [12, 25, 5, 18])
    }

    /// By click the first and the third tie: keys 9 and 7, so the third is first: positions 2, 3, 1, 4. By like: 3, 1, 4, 2.
    /// 1 / (2 + 1) + 6 / (9 + 1) = 14 / 15, and so on.
    @Test func sumOfPlaces() throws {
        let formula = FusionSpecification(
            .ranks,
            [FusionTerm(head: "click", offset: 1), FusionTerm(head: "like", weight: 6, power: 2, offset: 1)])
        expect(try scores(formula), [14 / 15, 1 / 4 + 3, 1 / 2 + 6 / 17, 1 / 5 + 6 / 5])
    }

    /// sqrt(0.25) * 16^0.25 / 0.5 = 2; a length or a quality that is not known plays no part; a prediction of 0 ends it.
    @Test func commerce() throws {
        let formula = FusionSpecification(
            .commerce,
            [
                FusionTerm(head: "click", power: 0.5), FusionTerm(attribute: .duration, power: 0.25),
                FusionTerm(attribute: .quality, power: -1),
            ])
        let predictions: [[Float]] = [[0.25, 0, 0], [0.25, 0, 0], [0, 0, 0], [1, 0, 0]]
        let found = try scores(
            formula, predictions: predictions, durations: [16, 0, 81, 81], qualities: [0.5, .nan, 1, 0.25])
        expect(found, [2, 0.5, 0, 12])
    }

    /// p_click^0.5 p_cart p_purchase^2 price^0.5 of heads in another order: 0.25^0.5 * 0.5 * 0.4^2 * 100^0.5 = 0.4; without a price
    /// 0.04; of what is free nothing; 1 * 0.25 * 0.2^2 * 9^0.5 = 0.03.
    @Test func aShopsFormula() throws {
        let formula = try FusionFormula(
            FusionSpecification(
                .commerce,
                [
                    FusionTerm(head: "click", power: 0.5), FusionTerm(head: "cart"),
                    FusionTerm(head: "purchase", power: 2), FusionTerm(attribute: .price, power: 0.5),
                ]), heads: ["purchase", "cart", "click"], of: "the model")
        let predictions: [Float] = [0.4, 0.5, 0.25, 0.4, 0.5, 0.25, 0.4, 0.5, 0.25, 0.2, 0.25, 1]
        let scratch = FusionScratch()
        predictions.withUnsafeBufferPointer {
            formula.score(
                FusionCandidates(
                    keys: (0..<4).map { ItemKey(rawValue: $0) }, predictions: $0, prices: [100, .nan, 0, 9]),
                in: scratch)
        }
        expect(Array(scratch.scores), [0.4, 0.04, 0, 0.03])
        #expect(formula.termNames == ["click", "cart", "purchase", "price"])
        #expect(formula.reads(.price) && !formula.reads(.quality))
        let price = (0..<4).map { scratch.term(3, of: $0) }
        expect(price.map(\.value), [100, 0, 0, 9])
        expect(price.map(\.contribution), [10, 1, 0, 3])
    }

    /// Candidates with one value stand by ascending key.
    @Test(arguments: [2, 3, 10, 257])
    func tiesStandByKey(count: Int) throws {
        let formula = FusionSpecification(.ranks, [FusionTerm(head: "click")])
        // A third has 0.75, the rest 0.5.
        let predictions = (0..<count).map { [$0 % 3 == 0 ? 0.75 : 0.5, 0, 0] as [Float] }
        let keys = (0..<count).map { ItemKey(rawValue: UInt64(($0 * 7_919 + 13) % 1_009)) }
        let order = (0..<count).sorted {
            ($0 % 3 == 0 ? 0 : 1, keys[$0].rawValue) < ($1 % 3 == 0 ? 0 : 1, keys[$1].rawValue)
        }
        let scratch = FusionScratch()
        predictions.flatMap(\.self).withUnsafeBufferPointer { predictions in
            try? FusionFormula(formula, heads: Self.heads, of: "m").score(
                FusionCandidates(keys: keys, predictions: predictions), in: scratch)
        }
        for (position, place) in order.enumerated() { #expect(scratch.scores[place] == 1 / Float(position + 1)) }
    }

    /// Unknown values are the last of an order, and count nothing in it.
    @Test func whatIsNotKnownHasNoPlace() throws {
        let formula = FusionSpecification(.ranks, [FusionTerm(attribute: .quality)])
        expect(try scores(formula, qualities: [.nan, 0.1, 0.9, .nan]), [0, 0.5, 1, 0])
    }

    /// A score of p_finish over the rate of the length: 0.4 / 0.8 and 0.4 / 0.2, and in the middle of both logs 0.4 / 0.5.
    @Test func finishIsComparedWithinItsLength() throws {
        let rate = try #require(FinishRate(logSeconds: [log(10), log(1_000)], rates: [0.8, 0.2]))
        let formula = FusionSpecification(.sum, [FusionTerm(head: "like", lengthAdjusted: true)])
        let predictions = [[Float]](repeating: [0, 0.4, 0], count: 4)
        let found = try scores(
            formula, predictions: predictions, durations: [5, 5_000, 100, 0], finishRates: ["like": rate])
        expect(found, [0.5, 2, 0.8, 0.4])
        let names = try FusionFormula(formula, heads: Self.heads, of: "m", finishRates: ["like": rate]).termNames
        #expect(names == ["like / f(duration)"])
    }

    /// Terms are told with what they read and what they came to.
    @Test func termsAreTold() throws {
        let formula = FusionSpecification(
            .clickTimes, [FusionTerm(head: "like", weight: 3), FusionTerm(attribute: .duration, weight: 0.5)])
        let scratch = FusionScratch()
        expect(try scores(formula, durations: [4, 0, 1, 1], scratch: scratch), [0.5 * 3.3, 0.25 * 2.2, 0.75, 0])
        #expect(try FusionFormula(formula, heads: Self.heads, of: "m").termNames == ["click", "like", "duration"])
        let first = (0..<3).map { scratch.term($0, of: 0) }
        expect(first.map(\.value), [0.5, 0.1, 4])
        expect(first.map(\.contribution), [0.5, 0.3, 2])
        #expect(scratch.term(2, of: 1) == (0, 0))
    }

    @Test func theScratchServesOtherSizes() throws {
        let scratch = FusionScratch()
        let formula = FusionSpecification(.sum, [FusionTerm(head: "click")])
        for count in [4, 0, 1, 4] {
            let predictions = Array(Self.predictions.prefix(count))
            expect(try scores(formula, predictions: predictions, scratch: scratch), predictions.map { $0[0] })
        }
    }

    @Test func whatIsNoNumberCountsNothing() throws {
        let formula = FusionSpecification(.sum, [FusionTerm(head: "click"), FusionTerm(head: "watch_time")])
        let found = try scores(
            formula, predictions: [[.nan, 0, 1], [-1, 0, 2], [0.5, 0, .infinity], [0, 0, -.infinity]])
        #expect(found[0] == 1 && found[1] == 2 && found[2].isFinite && found[3] == 0)
    }

    /// What the pre-ranker's score is unless it is specified: 0.25 * (1 + 0.1 * 150)^0.25 = 0.5.
    @Test func theStandardFormula() throws {
        expect(try scores(.standard, predictions: [[0.25, 0, 150]]), [0.5])
    }

    @Test func theStandardFormulaIsTakenAsFarAsThereAreHeads() {
        #expect(FusionSpecification.standard(for: ["like", "watch_time", "click"]) == .standard)
        #expect(
            FusionSpecification.standard(for: ["click", "like"])
                == FusionSpecification(.powers, [FusionTerm(head: "click", offset: 0)]))
        #expect(FusionSpecification.standard(for: ["buy"]) == FusionSpecification(.sum, [FusionTerm(head: "buy")]))
    }
}
