import Foundation
import Kernels
import Testing

@Suite struct FeatureKernelTests {
    /// From fractions of a count to a million seconds.
    private static let amounts: [Float] = [
        0, 1e-6, 0.001, 0.25, 0.41, 0.42, 0.5, 1, 1.5, 2, 3, 7, 10, 99.5, 1_000, 65_535, 1_000_000, -0.5, -0.9,
    ]

    @Test(arguments: KernelSet.available)
    func logarithmsMatchTheDefinition(_ kernels: KernelSet) {
        let x = Self.amounts
        var y = [Float](repeating: 9, count: x.count)
        kernels.logPlusOne(x, &y, count: x.count)
        for (x, y) in zip(x, y) {
            let expected = log1p(Double(x))
            #expect(abs(Double(y) - expected) <= 3e-7 * max(abs(expected), 1e-3), "\(x)")
        }
        var none: [Float] = [-1, -2, .nan]
        none.withUnsafeMutableBufferPointer { none in
            guard let base = none.baseAddress else { return }
            kernels.logPlusOne(base, base, count: none.count)
        }
        #expect(none.allSatisfy { $0.isNaN })
    }

    @Test(arguments: KernelSet.available)
    func anElementComesToTheSameWhateverTheCount(_ kernels: KernelSet) {
        let x = randomFloats(100, seed: 8).map { abs($0) * 50 }
        let trials = zip(x, randomFloats(100, seed: 9)).map { $0.0 + abs($0.1) }
        func results(_ count: Int) -> [Float] {
            var (logarithms, odds) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
            var standard = odds
            kernels.logPlusOne(x, &logarithms, count: count)
            kernels.logOdds(successes: x, trials: trials, a: 1.7, b: 9.3, base: -1.5, &odds, count: count)
            kernels.standardise(x, mean: 3, deviation: 7, limit: 4, &standard, stride: 1, count: count)
            return [logarithms[count - 1], odds[count - 1], standard[count - 1]]
        }
        for count in 1...100 {
            let many = results(count)
            var single = [Float](repeating: 0, count: 1)
            kernels.logPlusOne([x[count - 1]], &single, count: 1)
            #expect(single[0] == many[0])
            kernels.logOdds(
                successes: [x[count - 1]], trials: [trials[count - 1]], a: 1.7, b: 9.3, base: -1.5, &single, count: 1)
            #expect(single[0] == many[1])
            kernels.standardise([x[count - 1]], mean: 3, deviation: 7, limit: 4, &single, stride: 1, count: 1)
            #expect(single[0] == many[2])
        }
    }

    @Test(arguments: KernelSet.available)
    func logOddsMatchTheDefinition(_ kernels: KernelSet) {
        // log((3 + 2) / (7 + 5)) - log(2 / 5) = log(25 / 24); without failures below 0: log(6 / 5) - log(2 / 5) = log 3.
        let (successes, trials): ([Float], [Float]) = ([3, 4, 1, 0], [10, 2, 0, 8])
        var odds = [Float](repeating: 0, count: 4)
        kernels.logOdds(
            successes: successes, trials: trials, a: 2, b: 5, base: Float(log(2.0 / 5)), &odds, count: 4)
        #expect(abs(odds[0] - 0.040_821_995) < 1e-6)
        #expect(abs(odds[1] - 1.098_612_3) < 1e-6)
        #expect(odds[2].isNaN)
        // log(2 / 13) - log(2 / 5) = log(5 / 13).
        #expect(abs(odds[3] + 0.955_511_45) < 1e-6)
    }

    @Test(arguments: KernelSet.available)
    func windowsAreReadByTheirSlots(_ kernels: KernelSet) {
        // Two counters in two windows of five things: current slots, then previous ones.
        let values: [Float] = (0..<5).flatMap { thing -> [Float] in
            let base = Float(100 * thing)
            return [0, 0, 0, 0] + [base + 1, base + 2, base + 10, base + 20]
        }
        // Of the second window: now, the slot before, long ago, a newer clock's, now.
        let slots: [Int32] = [0, 70, 0, 69, 0, 60, 0, 71, 0, 70]
        let entities: [Int32] = [0, 1, 2, 3, 4, -1, 0, 1, 2, 3, 4, -1, 0, 1, 2, 3, 4, -1, 0]
        var counts = [Float](repeating: 9, count: entities.count)
        values.withUnsafeBufferPointer { values in
            slots.withUnsafeBufferPointer { slots in
                guard let values = values.baseAddress, let slots = slots.baseAddress else { return }
                kernels.windowedCounts(
                    WindowCounts(
                        values: values + 4 + 1, valuesRow: 8, previous: 2, slots: slots + 1, slotsRow: 2, slot: 70,
                        previousShare: 0.25, currentShare: 0.5), entities, unknown: -1, &counts,
                    count: entities.count)
            }
        }
        let expected: [Float] = [2 + 0.25 * 20, 102 * 0.5, 0, 302 + 320, 402 + 0.25 * 420, -1]
        #expect(counts == (0..<entities.count).map { expected[$0 % 6] })
    }

    @Test(arguments: KernelSet.available)
    func numbersAreStandardisedWithinTheirLimit(_ kernels: KernelSet) {
        let x: [Float] = [3, 5, 103, -97, .nan, 2]
        var y = [Float](repeating: 7, count: 12)
        kernels.standardise(x, mean: 3, deviation: 4, limit: 8, &y, stride: 2, count: 6)
        #expect(y == [0, 7, 0.5, 7, 8, 7, -8, 7, 0, 7, -0.25, 7])
    }
}
