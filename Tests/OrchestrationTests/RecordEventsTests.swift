import Catalog
import Features
import Messages
import Orchestration
import RPC
import Ranking
import Testing

@Suite struct RecordEventsTests {
    private let cluster = SmallCluster()

    private func event(_ change: (inout Event) -> Void = { _ in }) -> Event {
        var event = Event(
            eventID: "e", userID: "7", itemID: "3", kind: .click, timeMilliseconds: SmallCluster.now)
        change(&event)
        return event
    }

    @Test func eachEventIsJudgedByItself() async throws {
        let response = try await cluster.record(
            event(), event { $0.eventID = "" }, event(), event { $0.eventID = "f" },
            event { ($0.eventID, $0.kind) = ("g", EventKind(rawValue: 99)) })
        #expect(response.accepted == 2)
        #expect(response.duplicates == 1)
        #expect(response.rejected.map(\.index) == [1, 4])
        #expect(response.rejected.map(\.reason).first == "event_id: expected an id, found an empty string")
        #expect(response.rejected.map(\.reason).last == "kind: expected one of EventKind, found 99")
    }

    @Test func anEventSentTwiceCountsOnce() async throws {
        #expect(try await cluster.record(event()).accepted == 1)
        #expect(try await cluster.record(event()) == RecordEventsResponse(duplicates: 1))
        let request = ExplainRequest(request: RecommendRequest(userID: "7"))
        let explained = try await cluster.client.unary(RecommenderMethods.explain, request)
        #expect(explained.user?.liveEvents == 1)
        #expect(explained.user?.recentItemIDs == ["3", "4"])
    }

    /// The ranker does not take the first message: it comes again, with the same number, and nothing is told twice.
    @Test func theRankerIsToldOfWhatWasAccepted() async throws {
        let cluster = SmallCluster(configure: { $0.statisticsInterval = .milliseconds(1) })
        _ = try await cluster.record(event(), event(), event { ($0.eventID, $0.userID) = ("f", "") })
        try await eventually { !cluster.pushed.messages.isEmpty }
        _ = try await cluster.record(event { ($0.eventID, $0.kind, $0.value) = ("h", .play, 7) })
        try await eventually { cluster.pushed.messages.count == 2 }
        let messages = cluster.pushed.messages
        #expect(messages.map(\.sequence) == [1, 2])
        #expect(Set(messages.map(\.source)).count == 1)
        #expect(messages.map(\.snapshotVersion) == [SmallCluster.version, SmallCluster.version])
        #expect(messages.map { Array($0.items) } == [[3], [3]])
        #expect(messages.map { Array($0.actions) } == [[2], [0]])
        #expect(messages.map { Array($0.watchSeconds) } == [[0], [7]])
    }

    /// A purchase is a touch, and what the ranker is told of it raises the item's count.
    @Test func aPurchaseIsATouchAndIsCounted() async throws {
        let cluster = SmallCluster(configure: { $0.statisticsInterval = .milliseconds(1) })
        let response = try await cluster.record(
            event { $0.kind = .purchase }, event { ($0.eventID, $0.itemID, $0.kind) = ("f", "5", .cart) })
        #expect(response == RecordEventsResponse(accepted: 2))
        let request = ExplainRequest(request: RecommendRequest(userID: "7"))
        let explained = try await cluster.client.unary(RecommenderMethods.explain, request)
        #expect(explained.user?.recentItemIDs == ["5", "3", "4"])
        try await eventually { !cluster.pushed.messages.isEmpty }
        let message = try #require(cluster.pushed.messages.first)
        #expect(Array(message.actions) == [1 << 10, 1 << 9])

        let items = SmallCluster.snapshot.items
        let statistics = LiveStatistics(
            RankingStatistics(
                schema: FeatureSchema(features: [
                    FeatureDefinition("bought", "item.purchases"), FeatureDefinition("in_cart", "item.carts"),
                ]), columns: ItemFeatureColumns(items), surfaceCount: 1, profile: []), version: SmallCluster.version,
            clock: LogClock(dataUntil: SmallCluster.dataUntil), itemIndex: KeyIndex(items.keys))
        let feed = StatisticsFeed()
        feed.attach(statistics)
        let ranker = InProcessTransport(services: [
            RankingService(
                snapshots: SmallCluster.access(nil as Ranker?), feed: feed, now: { SmallCluster.now })
        ]).makeClient()
        #expect(try await ranker.unary(RankingMethods.pushStatistics, message).counted)
        // [carts, purchases] of items 3 and 5.
        let counts = statistics.read { counts in
            [2, 4].map { row in
                [0, 1].map { counts.parts[0].table.count(row, window: 0, counter: $0, at: SmallCluster.now) }
            }
        }
        #expect(counts == [[0, 1], [1, 0]])
    }

    @Test(
        arguments: [
            (Event(eventID: "e", itemID: "3", kind: .click), "user_id: expected an id"),
            (Event(eventID: "e", userID: "7", kind: .click), "item_id: expected an id"),
            (Event(eventID: "e", userID: "7", itemID: "3"), "kind: expected one of EventKind, found 0"),
            (
                Event(eventID: "e", userID: "7", itemID: "3", kind: .play, value: .nan),
                "value: expected 0 to 10000000 seconds, found nan"
            ),
            (Event(eventID: "e", userID: "7", itemID: "3", kind: .play, value: -1), "value: expected 0 to 10000000"),
            (Event(eventID: "e", userID: "7", itemID: "3", kind: .play, value: 1e30), "value: expected 0 to 10000000"),
            (
                Event(eventID: "e", userID: "7", itemID: "3", kind: .click, timeMilliseconds: -1),
                "time_ms: expected milliseconds since 1970"
            ),
            (
                Event(
                    eventID: "e", userID: "7", itemID: "3", kind: .click, timeMilliseconds: SmallCluster.now + 300_001),
                "time_ms: expected milliseconds since 1970"
            ),
        ] as [(Event, String)])
    func badEventsAreRejectedWithAReason(event: Event, reason: String) async throws {
        let response = try await cluster.record(event)
        #expect(response.accepted == 0)
        #expect(response.rejected.count == 1)
        #expect(response.rejected.first?.reason.hasPrefix(reason) == true)
    }

    @Test func tooManyEventsAreRefused() async throws {
        let request = RecordEventsRequest(events: [Event](repeating: event(), count: 1001))
        let error = await #expect(throws: RPCError.self) {
            try await cluster.client.unary(RecommenderMethods.recordEvents, request)
        }
        #expect(error?.message == "events: expected at most 1000, found 1001")
    }
}
