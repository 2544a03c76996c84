import Blobs
import Catalog
import Foundation
import Kernels
import Recall
import Testing

/// Items that came after the snapshot, beside its own.
@Suite struct LiveItemsTests {
    private static let day: Int64 = 86_400_000
    private static let end = 100 * day

    /// Items 1...4 of the snapshot, published 1...4 days before its end by author 7, in city 5.
    private let dataset = world(
        users: 1, items: 4, publishTimes: (1...4).map { Self.end - $0 * Self.day }, authors: [7, 7, 7, 7],
        cities: [5, 5, 5, 5],
        [Showing(user: 0, item: 0, time: Self.end, actions: .impression)])

    private func item(
        _ key: UInt64, daysAfter: Int64, author: UInt64 = 7, city: UInt64 = 5, quality: Float? = nil,
        place: Place? = nil, price: Float? = nil
    ) -> LiveItem {
        LiveItem(
            publicID: String(key), title: "Live \(key)", author: author, city: city,
            publishMilliseconds: Self.end + daysAfter * Self.day, place: place, quality: quality,
            price: price)
    }

    private func engine(_ live: LiveItems, shard: Int = 0, of count: Int = 1) throws -> RecallShardEngine {
        var catalogue = SafetensorsWriter()
        dataset.items.add(to: &catalogue)
        return try RecallShardEngine(
            shard: shard, of: count,
            components: [
                "catalog": mapped(catalogue),
                "newest": mapped(RankedList.newest(dataset).component(shard: shard, of: count)),
                "new-item": mapped(RankedList.underExposed(dataset).component(shard: shard, of: count)),
                "authors": mapped(NewestLists.byAuthor(dataset).component(shard: shard, of: count)),
                "city": mapped(NewestLists.byCity(dataset).component(shard: shard, of: count)),
                "place": mapped(NewestLists.byCell(dataset).component(shard: shard, of: count)),
            ], live: live)
    }

    private func query(_ channel: String, _ key: UInt64? = nil, limit: Int = 10, excluded: [UInt64] = []) -> RecallQuery
    {
        let input = ChannelInput(
            keys: SharedBuffer(key.map { [$0] } ?? []), weights: SharedBuffer(key.map { _ in [1] } ?? []))
        return RecallQuery(
            user: UserKey(rawValue: 1), channels: [ChannelRequest(channel: channel, limit: limit, input: input)],
            excludedItems: keys(excluded), timeMilliseconds: Self.end + 10 * Self.day)
    }

    private func ask(_ engine: RecallShardEngine, _ query: RecallQuery) throws -> Candidates {
        let result = try #require(engine.recall(query).first)
        #expect(result.error.isEmpty, "\(result.error)")
        return result.candidates
    }

    @Test func everyChannelOfListsFindsThemAtOnce() async throws {
        let live = LiveItems()
        let engine = try engine(live)
        #expect(try ask(engine, query("newest")).keys == [1, 2, 3, 4])
        let leon = try #require(Place(latitude: 42.6, longitude: -5.6))
        try await live.put([
            item(10, daysAfter: 1), item(11, daysAfter: 2, author: 8, city: 6), item(12, daysAfter: 3, quality: 0.4),
            item(13, daysAfter: 0, quality: 0.5, place: leon),
        ])
        let newest = try ask(engine, query("newest"))
        #expect(newest.keys == [12, 11, 10, 13, 1, 2, 3, 4])
        #expect(newest.scores == [3, 2, 1, 0, -1, -2, -3, -4])
        #expect(try ask(engine, query("newest", limit: 3, excluded: [12])).keys == [11, 10, 13])
        #expect(try ask(engine, query("author", 7)).keys == [12, 10, 13, 1, 2, 3, 4])
        #expect(try ask(engine, query("author", 8)).keys == [11])
        // The one of quality 0.4 is not good enough for a city.
        #expect(try ask(engine, query("city", 5)).keys == [10, 13, 1, 2, 3, 4])
        #expect(try ask(engine, query("place", GeoHash(leon, precision: 5).key)).keys == [13])
        let results = engine.recall(query("author", 8))
        #expect(engine.liveItems(in: results) == [item(11, daysAfter: 2, author: 8, city: 6)])
    }

    @Test func newItemsLeaveTheirChannelWithTheirImpressions() async throws {
        let live = LiveItems()
        let engine = try engine(live)
        try await live.put([item(10, daysAfter: 1)])
        engine.refreshLiveItems()
        // Item 1 was shown once in the log.
        #expect(try ask(engine, query("new-item")).keys == [2, 3, 4, 10, 1])
        #expect([1, 10, 99].map { engine.countsImpressions(of: ItemKey(rawValue: $0)) } == [true, true, false])
        live.count([(ItemKey(rawValue: 10), 2), (ItemKey(rawValue: 2), 99), (ItemKey(rawValue: 3), 100)])
        let after = try ask(engine, query("new-item"))
        #expect(after.keys == [4, 1, 10, 2])
        #expect(after.scores == [0, -1, -2, -99])
        live.count([(ItemKey(rawValue: 10), 98)])
        #expect(try ask(engine, query("new-item")).keys == [4, 1, 2])
    }

    @Test func whatTheSnapshotHasIsNotLive() async throws {
        let live = LiveItems()
        let engine = try engine(live)
        try await live.put([item(2, daysAfter: 5), item(10, daysAfter: 1)])
        #expect(try ask(engine, query("newest")).keys == [10, 1, 2, 3, 4])
        // With the next items those that the served snapshot has leave the segment.
        #expect(try await live.put([item(11, daysAfter: 2)], isKnown: engine.hasItem) == 2)
    }

    @Test func theLastWordOnAnItemCountsAndTheFirstInLeave() async throws {
        var limits = LiveItems.Limits()
        limits.itemsMax = 3
        let live = LiveItems(limits: limits)
        let engine = try engine(live)
        #expect(try await live.put([item(10, daysAfter: 1), item(10, daysAfter: 9)]) == 1)
        #expect(try ask(engine, query("newest")).scores.first == 9)
        #expect(try await live.put([item(11, daysAfter: 1), item(12, daysAfter: 1), item(13, daysAfter: 1)]) == 3)
        #expect(try ask(engine, query("newest")).keys == [11, 12, 13, 1, 2, 3, 4])
        try await live.put([item(11, daysAfter: 8)])
        #expect(try ask(engine, query("newest")).scores.first == 8)
    }

    @Test(arguments: [2, 3])
    func shardsMergeToTheWhole(count: Int) async throws {
        let items = (10..<40).map { item(UInt64($0), daysAfter: Int64($0 % 7), author: UInt64($0 % 3)) }
        func engines(_ count: Int) async throws -> [RecallShardEngine] {
            var engines: [RecallShardEngine] = []
            for shard in 0..<count {
                let live = LiveItems()
                try await live.put(items.filter { $0.key.shard(of: count) == shard })
                engines.append(try engine(live, shard: shard, of: count))
            }
            return engines
        }
        let (whole, shards) = (try await engines(1), try await engines(count))
        for query in [
            query("newest"), query("author", 2), query("city", 5, limit: 7), query("new-item", excluded: [12]),
        ] {
            let expected = try ask(whole[0], query)
            #expect(expected.count > 5)
            let merged = ChannelMerge.merge(
                shards.flatMap { $0.recall(query) }, channel: "", limit: query.channels[0].limit)
            #expect(merged.candidates == expected)
        }
    }

    @Test func aJournalSurvivesTheProcess() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "live-\(UUID())/items.jsonl").path()
        defer { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
        let place = Place(latitude: 1.5, longitude: -2.5)
        let all = [
            item(10, daysAfter: 1, quality: 0.25, place: place), item(11, daysAfter: 2, price: 0),
            item(10, daysAfter: 3, price: 12.5),
        ]
        let first = LiveItems(journal: LiveItemJournal(path: path))
        #expect(try await first.restore() == (0, 0))
        try await first.put(Array(all[..<2]))
        try await first.put([all[2]])
        // The process ends in the middle of a line.
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"id\":\"12\",\"ti".utf8))
        try handle.close()
        let second = LiveItems(journal: LiveItemJournal(path: path))
        #expect(try await second.restore() == (3, 1))
        try await second.put([item(13, daysAfter: 4)])
        let third = LiveItems(journal: LiveItemJournal(path: path))
        #expect(try await third.restore() == (4, 0))
        let engine = try engine(third)
        let results = engine.recall(query("newest"))
        #expect(engine.liveItems(in: results) == [all[2], all[1], item(13, daysAfter: 4)])
    }
}
