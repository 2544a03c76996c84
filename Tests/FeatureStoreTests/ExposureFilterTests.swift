import Catalog
import FeatureStore
import Testing

@Suite struct ExposureFilterTests {
    private let day: Int64 = 86_400_000
    /// Noon of a day.
    private let noon: Int64 = 20_000 * 86_400_000 + 43_200_000

    private func key(_ value: UInt64) -> ItemKey { ItemKey(rawValue: value) }

    @Test func anItemStaysAwayForTheWindowAndAtMostADayMore() {
        var filter = ExposureFilter()
        filter.insert(key(5), at: noon)
        #expect(filter.contains(key(5), now: noon))
        #expect(filter.contains(key(5), now: noon + 30 * day))
        #expect(!filter.contains(key(5), now: noon + 31 * day))
        #expect(!filter.contains(key(6), now: noon))
    }

    @Test func daysLeaveOneByOne() {
        var filter = ExposureFilter()
        for number in UInt64(0)..<40 {
            filter.insert(key(number), at: noon + Int64(number) * day)
            filter.expire(now: noon + Int64(number) * day)
            #expect(filter.count == min(Int(number) + 1, 31))
        }
        let now = noon + 39 * day
        #expect((UInt64(0)..<40).map { filter.contains(key($0), now: now) } == (0..<40).map { $0 >= 9 })
    }

    @Test func lateReportsCountOnTheirOwnDay() {
        var filter = ExposureFilter()
        filter.insert(key(1), at: noon + 3 * day)
        filter.insert(key(2), at: noon)
        filter.insert(key(3), at: noon + day)
        #expect(filter.count == 3)
        let now = noon + 31 * day
        #expect([1, 2, 3].map { filter.contains(key($0), now: now) } == [true, false, true])
    }

    @Test func shownAgainIsKeptForLonger() {
        var filter = ExposureFilter()
        filter.insert(key(1), at: noon)
        filter.insert(key(1), at: noon + 20 * day)
        #expect(filter.contains(key(1), now: noon + 45 * day))
    }

    /// A user shown `daily` items on each of 31 days: nothing shown is forgotten, and of 100,000 strangers at most the
    /// promised share is taken for shown. What it takes in memory is what docs/ARCHITECTURE.md says.
    @Test(arguments: [(20, 9_000), (100, 20_500), (1_000, 190_000)])
    func theWholeWindowKeepsToItsRate(daily: Int, bytesMax: Int) {
        var filter = ExposureFilter()
        for number in 0..<31 {
            for place in 0..<daily {
                filter.insert(key(UInt64(number * daily + place)), at: noon + Int64(number) * day)
            }
        }
        let now = noon + 30 * day
        #expect((0..<UInt64(31 * daily)).allSatisfy { filter.contains(key($0), now: now) })
        let wrong = (0..<UInt64(100_000)).count { filter.contains(key(1 << 50 + $0), now: now) }
        #expect(Double(wrong) / 100_000 < filter.configuration.falsePositiveRate)
        #expect(filter.byteCount < bytesMax, "\(filter.byteCount) bytes, \(wrong) wrong")
    }

    @Test func aDayBeyondItsLimitForgetsNothing() {
        var configuration = ExposureFilter.Configuration()
        configuration.firstItems = 4
        configuration.filtersPerDayMax = 2
        var filter = ExposureFilter(configuration)
        for item in UInt64(0)..<200 { filter.insert(key(item), at: noon) }
        #expect((UInt64(0)..<200).allSatisfy { filter.contains(key($0), now: noon) })
        #expect(filter.byteCount < 1_000)
    }
}
