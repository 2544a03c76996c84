import Catalog
import FeatureStore
import Testing

@Suite struct RecallCacheTests {
    private let rules = RecallCache.Rules()
    private let day: Int64 = 86_400_000

    private func cached(_ keys: ClosedRange<UInt64>, isUnderExposed: Bool = false) -> [CachedItem] {
        keys.map { CachedItem(item: ItemKey(rawValue: $0), score: Float($0), isUnderExposed: isUnderExposed) }
    }

    private func keys(_ cache: RecallCache, now: Int64 = 0) -> [UInt64] {
        cache.items(now: now, rules: rules).map(\.item.rawValue)
    }

    private func key(_ value: UInt64) -> ItemKey { ItemKey(rawValue: value) }

    @Test func shownItemsLeave() {
        var cache = RecallCache()
        cache.record(shown: [key(9)], offered: [], kept: cached(1...4) + cached(9...9), now: 0, rules: rules)
        #expect(keys(cache) == [1, 2, 3, 4])
        cache.record(shown: [key(2)], offered: [key(2), key(3)], kept: [], now: 0, rules: rules)
        #expect(keys(cache) == [1, 3, 4])
        cache.remove([key(1), key(7)])
        #expect(keys(cache) == [3, 4])
    }

    @Test func theFirstInLeaveWhenThereAreTooMany() {
        var cache = RecallCache()
        cache.record(shown: [], offered: [], kept: cached(1...60), now: 0, rules: rules)
        cache.record(shown: [], offered: [], kept: cached(51...110), now: 1, rules: rules)
        #expect(keys(cache) == Array(11...110))
    }

    @Test func tenOffersAreEnough() {
        var cache = RecallCache()
        cache.record(shown: [], offered: [], kept: cached(1...2), now: 0, rules: rules)
        for offer in 1...10 {
            #expect(keys(cache) == [1, 2], "before offer \(offer)")
            // The ranker puts both high again, every time.
            cache.record(shown: [], offered: [key(1)], kept: cached(1...2), now: Int64(offer), rules: rules)
        }
        #expect(keys(cache) == [2])
        // Another channel may find it again later.
        cache.record(shown: [], offered: [key(2)], kept: cached(1...1), now: 11, rules: rules)
        #expect(keys(cache) == [2, 1])
    }

    @Test func threeDaysAreEnough() {
        var cache = RecallCache()
        cache.record(shown: [], offered: [], kept: cached(1...1), now: 0, rules: rules)
        cache.record(shown: [], offered: [], kept: cached(1...2), now: day, rules: rules)
        #expect(keys(cache, now: 3 * day) == [1, 2])
        #expect(keys(cache, now: 3 * day + 1) == [2])
        cache.record(shown: [], offered: [], kept: cached(1...1), now: 3 * day + 1, rules: rules)
        #expect(keys(cache, now: 3 * day + 1) == [2])
    }

    @Test func underExposedItemsMayStayTwiceAsLong() {
        var cache = RecallCache()
        cache.record(
            shown: [], offered: [], kept: cached(1...1) + cached(2...2, isUnderExposed: true), now: 0, rules: rules)
        #expect(keys(cache, now: 6 * day) == [2])
        #expect(keys(cache, now: 6 * day + 1) == [])
        for _ in 1...19 { cache.record(shown: [], offered: [key(1), key(2)], kept: [], now: 1, rules: rules) }
        #expect(keys(cache) == [2])
        cache.record(shown: [], offered: [key(2)], kept: [], now: 1, rules: rules)
        #expect(keys(cache) == [])
    }

    @Test func aReportedImpressionTakesAnItemOut() {
        let store = InMemoryUserStateStore()
        let user = UserKey(rawValue: 7)
        let base = UserState(user: user, isKnown: true, profile: [])
        store.record(ShownPage(items: [key(5)], kept: cached(1...3)), to: user, now: 10)
        #expect(store.view(of: base, dataUntil: 0, now: 10).cached == cached(1...3))
        _ = store.record(
            [
                UserEvent(
                    id: "e", user: user,
                    interaction: Interaction(item: key(2), timeMilliseconds: 10, actions: .impression))
            ], now: 10)
        #expect(store.view(of: base, dataUntil: 0, now: 10).cached.map(\.item) == [key(1), key(3)])
    }
}
