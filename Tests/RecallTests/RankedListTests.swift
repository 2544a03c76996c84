import Blobs
import Catalog
import Kernels
import Recall
import Testing

@Suite struct RankedListTests {
    private static let day: Int64 = 86_400_000

    private func click(_ item: Int, daysAgo: Int64) -> Showing {
        Showing(user: 0, item: item, time: 100 * Self.day - daysAgo * Self.day, actions: [.impression, .click])
    }

    /// With a half-life of a week a click 7 days old counts 1/2, 14 days old 1/4; 40 days old is out of the window.
    @Test func popularCountsRecentClicksMore() {
        let dataset = world(
            users: 1, items: 5,
            [
                click(0, daysAgo: 14), click(0, daysAgo: 14), click(0, daysAgo: 14), click(1, daysAgo: 0),
                click(2, daysAgo: 7), click(2, daysAgo: 14), click(3, daysAgo: 40),
                Showing(user: 0, item: 4, time: 99 * Self.day, actions: [.impression, .like]),
            ])
        let list = RankedList.popular(dataset)
        #expect(list.items.map(\.rawValue) == [2, 1, 3])
        #expect(list.scores == [1, 0.75, 0.75])
    }

    @Test func popularStopsAtTheCut() {
        let dataset = world(users: 1, items: 2, [click(0, daysAgo: 0), click(1, daysAgo: 7)])
        let list = RankedList.popular(dataset, until: 100 * Self.day)
        #expect(list.items.map(\.rawValue) == [2])
        #expect(list.scores == [0.5])
    }

    @Test func newestOrdersByPublishTime() {
        let times: [Int64] = [90, 0, 100, 101, 90].map { $0 * Self.day }
        let dataset = world(users: 1, items: 5, publishTimes: times, [click(0, daysAgo: 0)])
        let all = RankedList.newest(dataset)
        #expect(all.items.map(\.rawValue) == [4, 3, 1, 5])
        #expect(all.scores == [1, 0, -10, -10])
        let before = RankedList.newest(dataset, until: 95 * Self.day)
        #expect(before.items.map(\.rawValue) == [1, 5])
        #expect(before.scores == [-5, -5])
    }

    /// Published within 14 days and shown less than 100 times, the least shown first.
    @Test func underExposedItemsAreNewAndSeldomShown() {
        func shown(_ item: Int, _ times: Int) -> [Showing] {
            (0..<times).map { Showing(user: 0, item: item, time: 100 * Self.day - Int64($0), actions: .impression) }
        }
        let times: [Int64] = [99, 98, 90, 85, 0, 95].map { $0 * Self.day }
        let dataset = world(
            users: 1, items: 6, publishTimes: times, shown(0, 3) + shown(1, 100) + shown(2, 99) + shown(3, 1))
        let list = RankedList.underExposed(dataset)
        #expect(list.items.map(\.rawValue) == [6, 1, 3])
        #expect(list.scores == [0, -3, -99])
        // Before day 100 less 2 ms: one showing less of each, the last one; item 0 was published then.
        let before = RankedList.underExposed(dataset, until: 100 * Self.day - 1)
        #expect(before.items.map(\.rawValue) == [6, 1, 3, 2])
        #expect(before.scores == [0, -1, -97, -98])
    }

    @Test func emptyWorldsGiveEmptyLists() {
        #expect(RankedList.popular(world(users: 0, items: 0, [])).items.isEmpty)
        #expect(RankedList.newest(world(users: 1, items: 3, [])).items.isEmpty)
    }

    @Test func exclusionsAndLimits() throws {
        let dataset = world(users: 1, items: 4, (0..<4).map { click($0, daysAgo: Int64($0)) })
        let engine = try RecallShardEngine(
            shard: 0, of: 1, components: ["popular": mapped(RankedList.popular(dataset).component(shard: 0, of: 1))])
        func found(_ limit: Int, excluded: [UInt64] = []) -> [UInt64]? {
            engine.recall(query("popular", limit: limit, excluded: excluded)).first?.candidates.keys
        }
        #expect(found(.max) == [1, 2, 3, 4])
        #expect(found(2, excluded: [1, 3]) == [2, 4])
        #expect(found(1) == [1])
        #expect(found(0) == [])
        #expect(found(9, excluded: [1, 2, 3, 4]) == [])
    }

    @Test(
        arguments: [
            (keys: [1, 2], scores: [1, .nan]), (keys: [1, 2], scores: [1, 2]), (keys: [2, 1], scores: [1, 1]),
            (keys: [1, 1], scores: [1, 1]), (keys: [1], scores: [2, 1]),
        ] as [(keys: [UInt64], scores: [Float])])
    func hostileListsAreRefused(keys: [UInt64], scores: [Float]) throws {
        var writer = SafetensorsWriter()
        writer.add("item_key", keys)
        writer.add("score", scores)
        let file = try mapped(writer)
        let error = #expect(throws: BlobError.self) { try RankedListChannel(component: file) }
        #expect(error?.message.contains(file.path) == true)
    }
}
