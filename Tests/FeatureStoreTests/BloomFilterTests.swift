import Catalog
import FeatureStore
import Foundation
import Testing

@Suite struct BloomFilterTests {
    /// By Python: n = 1000, delta = 0.01: m = ceil(1000 ln 100 / ln(2)^2) = 9586, k = round(log2 100) = 7; and so on.
    @Test(arguments: [(1000, 0.01, 9586, 7), (64, 0.001, 921, 10), (1, 0.5, 2, 1), (5000, 0.02, 40712, 6)])
    func sizesFollowTheFormulas(items: Int, rate: Double, bits: Int, hashes: Int) {
        let size = BloomFilter.Size(items: items, falsePositiveRate: rate)
        #expect(size.bits == bits)
        #expect(size.hashes == hashes)
    }

    /// (1 - exp(-k (n + 0.5) / (m - 1)))^k for m = 9586, k = 7, by Python.
    @Test(arguments: [(0, 8.645e-25), (500, 2.52159e-4), (1000, 0.0100634), (2000, 0.157578)])
    func theStatedRateFollowsTheFormula(items: Int, rate: Double) {
        let stated = BloomFilter.Size(items: 1000, falsePositiveRate: 0.01).falsePositiveRate(items: items)
        #expect(abs(stated - rate) < 0.001 * rate)
    }

    /// 200,000 strangers are asked for at each fill; the measured rate is within five standard errors of the formula, and
    /// of the filters' own spread, which eight filters even out.
    @Test(arguments: [(1000, 0.01), (64, 0.01), (400, 0.001)], [0.5, 1.0, 1.5])
    func theMeasuredRateIsTheFormulas(size: (items: Int, rate: Double), fill: Double) {
        let items = Int(Double(size.items) * fill)
        let wanted = BloomFilter.Size(items: size.items, falsePositiveRate: size.rate)
        let (filters, asked) = (UInt64(8), UInt64(25_000))
        var wrong = 0
        for number in 0..<filters {
            var filter = BloomFilter(wanted)
            let first = number << 32
            for key in 0..<UInt64(items) { filter.insert(ItemKey(rawValue: first + key)) }
            for key in 0..<UInt64(items) { #expect(filter.contains(ItemKey(rawValue: first + key))) }
            wrong += (0..<asked).count { filter.contains(ItemKey(rawValue: 1 << 60 + first + $0)) }
        }
        let trials = Double(filters * asked)
        let expected = wanted.falsePositiveRate(items: items)
        let error = 5 * (expected * (1 - expected) / trials).squareRoot()
        #expect(abs(Double(wrong) / trials - expected) < error + 0.05 * expected, "\(wrong) of \(trials), \(expected)")
    }
}
