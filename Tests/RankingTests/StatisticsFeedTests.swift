import Catalog
import Features
import Kernels
import Ranking
import Testing

struct StatisticsFeedTests {
    private let items = ItemFeatureColumns(
        ItemTable(
            keys: SharedBuffer([ItemKey(rawValue: 5), ItemKey(rawValue: 9)]), publicIDs: StringTable(["5", "9"]),
            titles: StringTable(["", ""]), categories: [1, 1], categoryNames: StringTable(["", "a"]), authors: [0, 0],
            publishTimes: [0, 0], durations: [0, 0]))

    private func statistics(version: String, dataUntil: Int64) -> LiveStatistics {
        let schema = FeatureSchema(features: [
            FeatureDefinition("clicks", "item.click_rate"),
            FeatureDefinition("by", "item.click_rate", split: "age"),
        ])
        return LiveStatistics(
            RankingStatistics(schema: schema, columns: items, surfaceCount: 1, profile: [("age", 3)]),
            version: version, clock: LogClock(dataUntil: dataUntil), itemIndex: KeyIndex(items.keys))
    }

    private func event(_ item: UInt64, _ time: Int64, _ actions: Actions, age: UInt32 = 2) -> LiveEvent {
        LiveEvent(
            item: ItemKey(rawValue: item), timeMilliseconds: time, actions: actions, profile: [age], version: "v1")
    }

    /// `[impressions, clicks]` of an item, of all viewers and of those of an age.
    private func counts(_ statistics: LiveStatistics, _ row: Int, age: Int) -> [Float] {
        statistics.read { counts in
            let (all, split) = (counts.parts[0].table, counts.parts[1].table)
            return [0, 1].map { all.count(row, window: 0, counter: $0, at: 0) }
                + [0, 1].map { split.count(row * 3 + age, window: 0, counter: $0, at: 0) }
        }
    }

    @Test func aMessageThatComesAgainCountsOnce() {
        let feed = StatisticsFeed()
        let table = statistics(version: "v1", dataUntil: 100)
        feed.attach(table)
        let events = [
            event(9, 150, [.impression]), event(9, 160, [.click]), event(9, 90, [.impression]),
            event(7, 150, [.impression]),
        ]
        #expect(feed.record(events, source: 1, sequence: 1))
        #expect(!feed.record(events, source: 1, sequence: 1))
        // What the snapshot's log has, and an item that it does not have, are passed over.
        #expect(counts(table, 1, age: 2) == [1, 1, 1, 1])
        #expect(feed.record([event(9, 170, [.impression], age: 7)], source: 2, sequence: 1))
        #expect(counts(table, 1, age: 0) == [2, 1, 1, 0])
        #expect(counts(table, 0, age: 2) == [0, 0, 0, 0])
    }

    /// Of one showing with a click, a cart and two purchases: [clicks, carts, purchases].
    @Test func cartsAndPurchasesAreCounted() {
        let schema = FeatureSchema(features: [
            FeatureDefinition("carts", "item.cart_rate"), FeatureDefinition("purchases", "item.purchase_rate"),
        ])
        let table = LiveStatistics(
            RankingStatistics(schema: schema, columns: items, surfaceCount: 1, profile: []), version: "v1",
            clock: LogClock(dataUntil: 100), itemIndex: KeyIndex(items.keys))
        let feed = StatisticsFeed()
        feed.attach(table)
        let actions: [Actions] = [[.impression, .click], .cart, .purchase, .purchase]
        feed.record(actions.map { event(9, 150, $0) }, source: 1, sequence: 1)
        let counts = table.read { counts in
            counts.parts[0].table.counters.indices.map {
                counts.parts[0].table.count(1, window: 0, counter: $0, at: 150)
            }
        }
        #expect(table.read { $0.parts[0].table.counters } == [.clicks, .carts, .purchases])
        #expect(counts == [1, 1, 2])
    }

    @Test func aSnapshotThatIsLoadedLaterIsToldOfWhatItsLogDoesNotHave() {
        let feed = StatisticsFeed()
        feed.record([event(5, 150, [.impression]), event(5, 250, [.impression])], source: 1, sequence: 1)
        let newer = statistics(version: "v2", dataUntil: 200)
        feed.attach(newer)
        // By other numbers, the viewer's age is unknown.
        #expect(counts(newer, 0, age: 0) == [1, 0, 1, 0])
        feed.record([event(5, 260, [.impression])], source: 1, sequence: 2)
        #expect(counts(newer, 0, age: 2) == [2, 0, 0, 0])
        #expect(feed.count == 3)
    }

    /// What was told of changes scores to those of a snapshot that had counted it.
    @Test func thePreRankerReadsWhatItIsTold() throws {
        let told = try PreRankWorld()
        let counted = try PreRankWorld(shown: [7: ActivityCounts(impressions: 2, clicks: 1, watchSeconds: 30)])
        let (live, fresh) = (try Ranker(told.preRanker), try Ranker(counted.preRanker))
        var query = RankingQuery(
            told.state(5), Scene(timeMilliseconds: told.now), items: SharedBuffer(told.items.keys.prefix(40)))
        query.cut = PreRankCut(keep: 0)
        let before = live.rank(query).items
        let feed = StatisticsFeed()
        feed.attach(live)
        let item = told.items.keys[7].rawValue
        feed.record(
            [
                event(item, told.now + 1, [.impression, .click]), event(item, told.now + 2, [.impression]),
                LiveEvent(
                    item: told.items.keys[7], timeMilliseconds: told.now + 3, actions: [], watchSeconds: 30,
                    version: "v1"),
            ], source: 1, sequence: 1)
        let after = live.rank(query).items
        #expect(after.scores != before.scores)
        #expect(after.items == fresh.rank(query).items.items)
        for (found, expected) in zip(after.scores, fresh.rank(query).items.scores) {
            #expect(abs(found - expected) < 1e-5)
        }
    }

    /// Day numbers by hand: a log that ended on day 100, a snapshot of day 400, a request on day 401.
    @Test func timesAfterAnOldLogAreToldFromItsEnd() {
        let day: Int64 = 24 * 3_600_000
        let old = LogClock(dataUntil: 100 * day, made: 400 * day)
        #expect(old(99 * day) == 99 * day)
        #expect(old(401 * day) == 101 * day)
        // Between the log's end and the snapshot's making no time passed.
        #expect(old(300 * day) == 100 * day)
        let fresh = LogClock(dataUntil: 100 * day, made: 102 * day)
        #expect(fresh(103 * day) == 103 * day)
        #expect(LogClock(dataUntil: .min, made: .max).shift == 0)
        var state = UserState(user: UserKey(rawValue: 1), isKnown: true, profile: [])
        for time in [90 * day, 402 * day] {
            state.record(Interaction(item: ItemKey(rawValue: UInt64(time)), timeMilliseconds: time, actions: [.click]))
        }
        #expect(state.told(by: old).recent.map(\.timeMilliseconds) == [90 * day, 102 * day])
    }

    /// The same request a year later, of the same old log, gets the same answer.
    @Test func anOldSnapshotIsServedAsOfItsLogsEnd() throws {
        let world = try PreRankWorld()
        // Of 52 weeks: hour and weekday stay the same.
        let year: Int64 = 364 * 24 * 3_600_000
        let made = world.now + year
        let old = try Ranker(PreRanker(net: world.net, clock: LogClock(dataUntil: world.now, made: made)))
        func query(at time: Int64) -> RankingQuery {
            var query = RankingQuery(
                world.state(5), Scene(timeMilliseconds: time), items: SharedBuffer(world.items.keys.prefix(40)))
            query.cut = PreRankCut(keep: 0)
            return query
        }
        let hour: Int64 = 3_600_000
        let atTheEnd = try Ranker(world.preRanker).rank(query(at: world.now + 24 * hour)).items
        #expect(old.rank(query(at: made + 24 * hour)).items.scores == atTheEnd.scores)
        let late = try Ranker(world.preRanker).rank(query(at: made + 24 * hour)).items
        #expect(late.scores != atTheEnd.scores)
    }

    /// More events than a listener is told of at once.
    @Test func whoComesLaterIsToldOfAllThatIsKept() {
        let feed = StatisticsFeed()
        for sequence in 1...10 {
            feed.record(
                [LiveEvent](repeating: event(5, 10, [.impression]), count: 1_000), source: 1,
                sequence: UInt64(sequence))
        }
        let table = statistics(version: "v1", dataUntil: 0)
        feed.attach(table)
        feed.record([event(5, 10, [.impression])], source: 1, sequence: 11)
        #expect(counts(table, 0, age: 2) == [10_001, 0, 10_001, 0])
    }

    @Test func manyWritersAndReadersLoseNothing() async {
        let feed = StatisticsFeed()
        let table = statistics(version: "v1", dataUntil: 0)
        feed.attach(table)
        await withTaskGroup(of: Void.self) { group in
            for source in 1...8 {
                group.addTask {
                    for sequence in 1...200 {
                        feed.record(
                            [event(5, 1, [.impression])], source: UInt64(source), sequence: UInt64(sequence))
                    }
                }
                group.addTask {
                    var last: Float = 0
                    for _ in 0..<500 {
                        let seen = counts(table, 0, age: 2)[0]
                        if seen < last { Issue.record("counts went down") }
                        last = seen
                    }
                }
            }
        }
        #expect(counts(table, 0, age: 2) == [1_600, 0, 1_600, 0])
    }
}
