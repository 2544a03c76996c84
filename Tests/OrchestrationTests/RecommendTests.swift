import FeatureStore
import Kernels
import Messages
import Orchestration
import RPC
import Recall
import Synchronization
import Testing

@Suite struct RecommendTests {
    @Test func aKnownUserGetsARankedPageWithProvenance() async throws {
        let page = try await SmallCluster().recommend(RecommendRequest(userID: "7", requestID: "r"))
        // itemcf: 4 + 1 = 5; popular: the eight highest of both shards; the ranker: highest key first.
        #expect(page.items.map(\.itemID) == ["20", "19", "18"])
        #expect(page.items.map(\.score) == [2, 1.9, 1.8])
        #expect(page.heads == ["click", "watch_time"])
        #expect(page.items.map { Array($0.predictions) } == [[0.2, 20], [0.19, 19], [0.18, 18]])
        #expect(page.items[0].title == "Item 20")
        #expect(page.items[0].category == "even")
        #expect(page.items[0].channels == ["popular"])
        #expect(page.userKnown)
        #expect(page.requestID == "r")
        #expect(page.snapshotVersion == "v1")
        #expect(page.completeness == Completeness(shardsAsked: 2, shardsAnswered: 2, order: .ranked))
    }

    @Test func anUnknownUserGetsThePopularPage() async throws {
        let page = try await SmallCluster().recommend(RecommendRequest(userID: "stranger", pageSize: 4))
        #expect(page.items.map(\.itemID) == ["20", "19", "18", "17"])
        #expect(!page.userKnown)
        #expect(page.completeness?.order == .recalled)
        #expect(page.items.allSatisfy { $0.channels == ["popular"] })
    }

    @Test func shownItemsDoNotComeBack() async throws {
        let cluster = SmallCluster()
        let first = try await cluster.recommend(RecommendRequest(userID: "7"))
        let second = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(second.items.map(\.itemID) == ["17", "16", "15"])
        #expect(Set(first.items.map(\.itemID)).isDisjoint(with: second.items.map(\.itemID)))
    }

    @Test func shownItemsComeBackAfterTheWindow() async throws {
        let clock = Mutex(SmallCluster.now)
        let cluster = SmallCluster(now: { clock.withLock { $0 } })
        _ = try await cluster.recommend(RecommendRequest(userID: "7"))
        clock.withLock { $0 += 31 * 24 * 3600 * 1000 }
        let later = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(later.items.map(\.itemID) == ["20", "19", "18"])
    }

    /// The shards are told of two shown items by key; of the others only the filter knows, and pages stay full.
    @Test func shownItemsThatOnlyTheFilterKnowsDoNotComeBack() async throws {
        var limits = OverlayLimits()
        limits.recentlyShownMax = 2
        let cluster = SmallCluster(users: InMemoryUserStateStore(limits: limits)) {
            $0.channels = [ChannelRequest(channel: ChannelName.popular, limit: 3)]
        }
        var pages: [[String]] = []
        for _ in 0..<6 { pages.append(try await cluster.recommend(RecommendRequest(userID: "7")).items.map(\.itemID)) }
        // Item 4 is among the last-n. Highest first, three a page.
        #expect(
            pages == [
                ["20", "19", "18"], ["17", "16", "15"], ["14", "13", "12"], ["11", "10", "9"], ["8", "7", "6"],
                ["5", "3", "2"],
            ])
    }

    /// Pages of one user made at the same time all begin with the same candidates.
    @Test func pagesAskedForAtOnceShareNothing() async throws {
        let cluster = SmallCluster {
            $0.pageSize = 2
            $0.channels = [ChannelRequest(channel: ChannelName.popular, limit: 20)]
        }
        let pages = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<9 {
                group.addTask { try await cluster.recommend(RecommendRequest(userID: "7")).items.map(\.itemID) }
            }
            var pages: [[String]] = []
            for try await page in group { pages.append(page) }
            return pages
        }
        #expect(pages.allSatisfy { $0.count == 2 })
        #expect(Set(pages.joined()).count == 18)
    }

    @Test func anExplanationTellsWhatTheFilterKeptOut() async throws {
        var limits = OverlayLimits()
        limits.recentlyShownMax = 2
        let cluster = SmallCluster(users: InMemoryUserStateStore(limits: limits))
        for _ in 0..<2 { _ = try await cluster.recommend(RecommendRequest(userID: "7")) }
        let request = ExplainRequest(request: RecommendRequest(userID: "7"))
        let explained = try await cluster.client.unary(RecommenderMethods.explain, request)
        let stage = try #require(explained.stages.first { $0.stage == "exposure filter" })
        #expect(stage.itemsOut == 4)
        #expect(explained.user?.shown == 6)
    }

    @Test func aClickChangesTheNextPage() async throws {
        let cluster = SmallCluster { $0.channels[1].limit = 2 }
        let before = try await cluster.recommend(RecommendRequest(userID: "7", pageSize: 10))
        #expect(before.items.map(\.itemID) == ["20", "19", "5"])
        let recorded = try await cluster.record(
            Event(eventID: "e1", userID: "7", itemID: "11", kind: .click, timeMilliseconds: SmallCluster.now))
        #expect(recorded == RecordEventsResponse(accepted: 1))
        let after = try await cluster.recommend(RecommendRequest(userID: "7", pageSize: 10))
        #expect(after.items.map(\.itemID) == ["18", "17", "12"])
        #expect(after.items.last?.channels == ["itemcf"])
    }

    @Test func aClickMakesAStrangerKnown() async throws {
        let cluster = SmallCluster()
        _ = try await cluster.record(Event(eventID: "e1", userID: "new", itemID: "2", kind: .like))
        let page = try await cluster.recommend(RecommendRequest(userID: "new", pageSize: 20))
        #expect(page.userKnown)
        #expect(page.items.contains { $0.itemID == "3" && $0.channels == ["itemcf"] })
    }

    @Test func excludedAndHiddenItemsStayOut() async throws {
        let cluster = SmallCluster()
        _ = try await cluster.record(Event(eventID: "e", userID: "7", itemID: "19", kind: .hide))
        let page = try await cluster.recommend(RecommendRequest(userID: "7", excludeItemIDs: ["20", "unknown"]))
        #expect(page.items.map(\.itemID) == ["18", "17", "16"])
    }

    @Test func twoShardsAnswerAsOneDoes() async throws {
        let request = RecommendRequest(userID: "7", pageSize: 20)
        let two = try await SmallCluster().recommend(request)
        let one = try await SmallCluster(shards: [.answering]).recommend(request)
        let four = try await SmallCluster(shards: [.answering, .answering, .answering, .answering]).recommend(request)
        #expect(one.items == two.items)
        #expect(one.items == four.items)
    }

    @Test func explainTellsWhereItemsCameFromAndChangesNothing() async throws {
        let cluster = SmallCluster { $0.channels[1].limit = 2 }
        let request = ExplainRequest(request: RecommendRequest(userID: "7", requestID: "r"))
        let first = try await cluster.client.unary(RecommenderMethods.explain, request)
        let second = try await cluster.client.unary(RecommenderMethods.explain, request)
        #expect(first.page == second.page)
        #expect(first.items.map(\.itemID) == ["20", "19", "5"])
        #expect(first.items.map(\.rankPosition) == [1, 2, 3])
        // 5 leads itemcf and 20 leads popular: 1/61 each, the tie goes to the lower key; 19 is second in popular.
        #expect(first.items.map(\.recallPosition) == [2, 3, 1])
        #expect(first.items[2].channels == [ChannelScore(channel: "itemcf", score: 0.5, position: 1)])
        #expect(first.items[1].channels == [ChannelScore(channel: "popular", score: 19, position: 2)])
        #expect(first.user == UserSummary(known: true, recentItemIDs: ["4"]))
        #expect(
            first.stages.map(\.stage) == [
                "user state", "user side of the channels", "recall shard 0", "recall shard 1", "pre-rank", "rank",
                "ranker call",
            ])
        #expect(first.stages.allSatisfy { $0.snapshotVersion == "v1" })
        #expect(first.stages.first { $0.stage == "pre-rank" }?.note.hasSuffix("kept of itemcf 1, popular 2") == true)
        #expect(first.items.map(\.preRankPosition) == [1, 2, 16])
        #expect(first.items.map(\.preRankScore) == [1, 0.95, 0.25])
        #expect(first.items[0].terms == [ScoreTerm(name: "click", value: 0.2, contribution: 2)])
    }

    /// The rows of device and geohash: what is not told is 0, what the log does not have lies past the vocabulary.
    @Test(
        arguments: [
            ([:], 0, [0, 0]), (["device": ""], 0, [0, 0]), (["device": "tv", "surface": "home"], 1, [2, 0]),
            (["device": "fridge", "city": "Oslo", "surface": "cellar"], 0, [3, 0]),
            (["device": "phone", "latitude": "59.9139", "longitude": "10.7522"], 0, [1, 1]),
            (["latitude": "-33.9", "longitude": "18.4"], 0, [0, 2]),
        ] as [([String: String], UInt32, [UInt32])])
    func theRankerIsToldTheScene(context: [String: String], surface: UInt32, contexts: [UInt32]) async throws {
        let cluster = SmallCluster()
        let request = RecommendRequest(userID: "7", context: context)
        _ = try await cluster.client.unary(RecommenderMethods.explain, ExplainRequest(request: request))
        _ = try await cluster.recommend(request)
        let scene = Scene(
            timeMilliseconds: SmallCluster.now, surface: surface, contexts: SharedBuffer(contexts))
        #expect(cluster.ranked.all == [scene, scene])
    }

    /// A client that has been told of a new field is served by the snapshot before it, too.
    @Test(arguments: [
        (["mood": "x"], "'mood'"), (["geohash": "u4xsu", "device": "tv"], "'geohash'"),
        (["mood": "x", "geohash": "u4xsu", "weather": ""], "'geohash' and 2 more keys"),
    ])
    func keysThatTheSnapshotDoesNotHaveAreTold(context: [String: String], told: String) async throws {
        let page = try await SmallCluster().recommend(RecommendRequest(userID: "7", context: context))
        #expect(!page.items.isEmpty)
        let reason = "context: not used: \(told), which the snapshot's data set does not have; known here: "
        #expect(page.completeness?.reasons == [reason + "city, device, latitude, longitude, surface"])
    }

    @Test(arguments: [
        (RecommendRequest(), "user_id: expected an id, found an empty string"),
        (
            RecommendRequest(userID: String(repeating: "u", count: 1025)),
            "user_id: expected at most 1024 bytes, found 1025"
        ),
        (RecommendRequest(userID: "7", pageSize: 501), "page_size: expected 1 to 500, or 0 for 3, found 501"),
        (RecommendRequest(userID: "7", excludeItemIDs: [""]), "exclude_item_ids: expected an id"),
        (
            RecommendRequest(userID: "7", excludeItemIDs: [String](repeating: "1", count: 1001)),
            "exclude_item_ids: expected at most 1000, found 1001"
        ),
        (
            RecommendRequest(userID: "7", context: .init(uniqueKeysWithValues: (0..<129).map { ("\($0)", "") })),
            "context: expected at most 128 keys, found 129"
        ),
        (
            RecommendRequest(userID: "7", context: ["device": String(repeating: "x", count: 1025)]),
            "context: device: expected at most 1024 bytes, found 1025"
        ),
        (
            RecommendRequest(userID: "7", context: ["latitude": "91", "longitude": "5"]),
            "context: latitude: expected -90 to 90 degrees, found '91'"
        ),
        (
            RecommendRequest(userID: "7", context: ["latitude": "nan", "longitude": "5"]),
            "context: latitude: expected -90 to 90 degrees, found 'nan'"
        ),
        (
            RecommendRequest(userID: "7", context: ["latitude": "5", "longitude": "east"]),
            "context: longitude: expected -180 to 180 degrees, found 'east'"
        ),
        (
            RecommendRequest(userID: "7", context: ["latitude": "5"]),
            "context: latitude: expected longitude too, found none"
        ),
        (
            RecommendRequest(userID: "7", context: ["longitude": "5"]),
            "context: longitude: expected latitude too, found none"
        ),
    ])
    func badRequestsAreRefused(request: RecommendRequest, message: String) async throws {
        let error = await #expect(throws: RPCError.self) { try await SmallCluster().recommend(request) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix(message) == true)
    }

    @Test func withoutASnapshotNothingIsServed() async throws {
        let cluster = SmallCluster(hasSnapshot: false)
        let error = await #expect(throws: RPCError.self) { try await cluster.recommend(RecommendRequest(userID: "7")) }
        #expect(error?.message == "no snapshot is loaded yet")
    }
}
