import Catalog
import FeatureStore
import Testing

@Suite struct InMemoryUserStateStoreTests {
    private let user = UserKey(rawValue: 7)
    private let day: Int64 = 24 * 3600 * 1000

    private var stranger: UserState { UserState(user: user, isKnown: false, profile: []) }

    private func keys(_ values: ClosedRange<UInt64>) -> [ItemKey] { values.map { ItemKey(rawValue: $0) } }

    private func key(_ value: UInt64) -> ItemKey { ItemKey(rawValue: value) }

    private func event(_ id: String, _ item: UInt64, _ actions: Actions, at time: Int64, user: UInt64 = 7) -> UserEvent
    {
        UserEvent(
            id: id, user: UserKey(rawValue: user),
            interaction: Interaction(item: key(item), timeMilliseconds: time, actions: actions))
    }

    @Test func eventsAreAddedToTheSnapshotsState() {
        let store = InMemoryUserStateStore()
        #expect(
            store.record([event("a", 5, [.impression, .click], at: 200), event("b", 6, .like, at: 150)], now: 300) == [
                .accepted, .accepted,
            ])
        let view = store.view(of: stranger, dataUntil: 0, now: 300)
        #expect(view.state.isKnown)
        #expect(view.state.clicks == 1)
        // By time, not by arrival.
        #expect(view.state.recent.map(\.item) == [key(6), key(5)])
        #expect(view.excluded == [key(5), key(6)])
        #expect(view.liveEventCount == 2)
    }

    @Test func eventsThatTheSnapshotHasSeenAreNotAddedAgain() {
        let store = InMemoryUserStateStore()
        _ = store.record([event("a", 5, .click, at: 200), event("b", 6, .click, at: 201)], now: 300)
        let view = store.view(of: stranger, dataUntil: 200, now: 300)
        #expect(view.state.recent.map(\.item) == [key(6)])
        #expect(view.liveEventCount == 1)
    }

    @Test func anEventIDCountsOnce() {
        let store = InMemoryUserStateStore()
        let click = event("a", 5, [.impression, .click], at: 200)
        #expect(store.record([click, click], now: 300) == [.accepted, .duplicate])
        #expect(store.record([event("a", 9, .like, at: 250)], now: 300) == [.duplicate])
        #expect(store.view(of: stranger, dataUntil: 0, now: 300).state.clicks == 1)
    }

    @Test func rememberedEventIDsAreBounded() {
        var limits = OverlayLimits()
        limits.eventIDsMax = 64 * 3  // Three for each stripe.
        let store = InMemoryUserStateStore(limits: limits)
        _ = store.record(["a", "b", "c", "d"].map { event($0, 5, .click, at: 200) }, now: 300)
        #expect(store.record([event("d", 5, .click, at: 200)], now: 300) == [.duplicate])
        #expect(store.record([event("a", 5, .click, at: 200)], now: 300) == [.accepted])
    }

    @Test func shownItemsStayAwayForTheWindow() {
        let store = InMemoryUserStateStore()
        store.record(ShownPage(items: [key(2), key(1)]), to: user, now: 1000)
        _ = store.record([event("i", 3, .impression, at: 1000 + day)], now: 1000 + day)
        #expect(store.view(of: stranger, dataUntil: 0, now: 1000 + 30 * day).excluded == [key(1), key(2), key(3)])
        let later = store.view(of: stranger, dataUntil: 0, now: 1000 + 31 * day)
        #expect(later.excluded == [key(3)])
        #expect([1, 2, 3].map { later.exposures.contains(key($0), now: 1000 + 31 * day) } == [false, false, true])
    }

    @Test func whatIsNoLongerKnownByKeyIsKnownToTheFilter() {
        var limits = OverlayLimits()
        limits.recentlyShownMax = 4
        let store = InMemoryUserStateStore(limits: limits)
        for item in UInt64(1)...50 { store.record(ShownPage(items: [key(item)]), to: user, now: 1000) }
        let view = store.view(of: stranger, dataUntil: 0, now: 1000)
        #expect((4...5).contains(view.excluded.count) && view.excluded.last == key(50))
        #expect(view.exposures.count == 50)
        #expect(keys(1...50).allSatisfy { view.exposures.contains($0, now: 1000) })
    }

    @Test func whatIsShownTwiceIsTold() {
        let store = InMemoryUserStateStore()
        #expect(store.record(ShownPage(items: keys(1...3)), to: user, now: 1000).isEmpty)
        #expect(store.record(ShownPage(items: keys(3...5)), to: user, now: 1000) == [key(3)])
        #expect(store.record(ShownPage(items: keys(3...3)), to: user, now: 1000 + 31 * day).isEmpty)
    }

    @Test func hiddenItemsStayAwayForGood() {
        let store = InMemoryUserStateStore()
        _ = store.record([event("h", 8, .hide, at: 1000)], now: 1000)
        #expect(store.view(of: stranger, dataUntil: 0, now: 1000 + 400 * day).excluded == [key(8)])
    }

    @Test func usersAreKeptApart() {
        let store = InMemoryUserStateStore()
        store.record(ShownPage(items: [key(1)]), to: UserKey(rawValue: 8), now: 1000)
        #expect(store.view(of: stranger, dataUntil: 0, now: 1000).excluded.isEmpty)
    }

    @Test func whatIsKeptOfOneUserIsBounded() {
        var limits = OverlayLimits()
        limits.recentlyShownMax = 8
        limits.eventsPerUserMax = 4
        limits.hiddenPerUserMax = 2
        let store = InMemoryUserStateStore(limits: limits)
        for item in UInt64(1)...11 { store.record(ShownPage(items: [key(item)]), to: user, now: Int64(item)) }
        // The eleventh was more than eight and a quarter: the newest eight are kept.
        #expect(store.view(of: stranger, dataUntil: 0, now: 12).excluded == keys(4...11))
        let hides = keys(101...103).map { event("h\($0.rawValue)", $0.rawValue, .hide, at: 50) }
        let clicks = keys(201...204).map { event("c\($0.rawValue)", $0.rawValue, .click, at: Int64($0.rawValue)) }
        _ = store.record(hides + clicks, now: 300)
        let view = store.view(of: stranger, dataUntil: 0, now: 300)
        #expect(view.liveEventCount == 4)
        #expect(view.state.recent.map(\.item) == keys(201...204))
        #expect(!view.excluded.contains(key(101)))
        #expect(view.excluded.contains(key(102)) && view.excluded.contains(key(103)))
    }

    @Test func theQuietestUsersAreForgotten() {
        var limits = OverlayLimits()
        limits.usersMax = 64  // One for each stripe.
        let store = InMemoryUserStateStore(limits: limits)
        for user in UInt64(1)...1000 {
            store.record(ShownPage(items: [key(1)]), to: UserKey(rawValue: user), now: Int64(user))
        }
        let kept = (UInt64(1)...1000).count { user in
            let base = UserState(user: UserKey(rawValue: user), isKnown: false, profile: [])
            return !store.view(of: base, dataUntil: 0, now: 1000).excluded.isEmpty
        }
        #expect(kept == 64)
        let last = UserState(user: UserKey(rawValue: 1000), isKnown: false, profile: [])
        #expect(store.view(of: last, dataUntil: 0, now: 1000).excluded == [key(1)])
    }

    @Test func memoryIsBounded() {
        var limits = OverlayLimits()
        limits.bytesMax = 64 * 4_000
        let store = InMemoryUserStateStore(limits: limits)
        for user in UInt64(1)...2000 {
            store.record(ShownPage(items: keys(1...20)), to: UserKey(rawValue: user), now: Int64(user))
        }
        let kept = (UInt64(1)...2000).count { user in
            let base = UserState(user: UserKey(rawValue: user), isKnown: false, profile: [])
            return !store.view(of: base, dataUntil: 0, now: 2000).excluded.isEmpty
        }
        // A user takes about 650 bytes, of which the filter 250 and the keys 320: six for each stripe.
        #expect((64...448).contains(kept))
    }

    @Test func manyThreadsAtOnce() async {
        let store = InMemoryUserStateStore()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<200 {
                        _ = store.record(
                            [event("\(task)-\(round)", UInt64(round), [.impression, .click], at: 10)], now: 10)
                    }
                }
            }
        }
        #expect(store.view(of: stranger, dataUntil: 0, now: 10).state.clicks == 400)
    }
}
