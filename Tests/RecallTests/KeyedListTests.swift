import Blobs
import Catalog
import Kernels
import Recall
import Testing

/// `place`, `city` and the author channels: from data set to candidates.
@Suite struct KeyedListTests {
    private static let day: Int64 = 86_400_000
    private static let now = 100 * day

    /// Items 1...6 published 1...6 days before now, by authors 7, 7, 8, 8, 9 and nobody.
    private let dataset = world(
        users: 2, items: 6, publishTimes: (1...6).map { Self.now - $0 * Self.day }, authors: [7, 7, 8, 8, 9, 0],
        places: [(42.6, -5.6), (42.61, -5.6), (42.6, -5.64), (60, 10), nil, (42.6, -5.6)].map { place in
            place.flatMap { Place(latitude: $0.0, longitude: $0.1) }
        },
        cities: [1, 1, 2, 0, 1, 1], qualities: [0.9, 0.4, .nan, 0.9, 0.5, 0.6], [])

    private func engine(_ lists: [String: NewestLists]) throws -> RecallShardEngine {
        try RecallShardEngine(
            shard: 0, of: 1, components: lists.mapValues { try mapped($0.component(shard: 0, of: 1)) })
    }

    private func ask(
        _ engine: RecallShardEngine, _ channel: String, _ input: ChannelInput, limit: Int = 10, excluded: [UInt64] = []
    ) throws -> Candidates {
        let query = RecallQuery(
            user: UserKey(rawValue: 1), channels: [ChannelRequest(channel: channel, limit: limit, input: input)],
            excludedItems: keys(excluded), timeMilliseconds: Self.now)
        let result = try #require(engine.recall(query).first)
        #expect(result.error.isEmpty)
        return result.candidates
    }

    private func near(_ found: SharedBuffer<Float>, _ expected: [Float]) -> Bool {
        found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 }
    }

    @Test func authorsGiveTheirNewestByWeightAndAge() throws {
        let engine = try engine(["authors": .byAuthor(dataset)])
        let equal = try ask(engine, "author", ChannelInput(keys: [8, 7, 5], weights: [1, 1, 1]))
        #expect(equal.keys == [1, 2, 3, 4])
        // 1 / (1 + age / 7).
        let ages: [Float] = [7 / 8, 7 / 9, 7 / 10, 7 / 11]
        #expect(near(equal.scores, ages))
        let weighted = try ask(engine, "author", ChannelInput(keys: [8, 7], weights: [2, 1]))
        #expect(weighted.keys == [3, 4, 1, 2])
        let scores: [Float] = [14 / 10, 14 / 11, 7 / 8, 7 / 9]
        #expect(near(weighted.scores, scores))
        let cut = try ask(engine, "author", ChannelInput(keys: [8, 7], weights: [2, 1]), limit: 2, excluded: [3])
        #expect(cut.keys == [4, 1])
    }

    @Test func unusableKeysAndWeightsFindNothing() throws {
        let engine = try engine(["authors": .byAuthor(dataset)])
        let weights: [Float] = [0, -1, .nan, .infinity, 1, 1]
        let input = ChannelInput(keys: [7, 7, 7, 7, 9, 9], weights: SharedBuffer(weights))
        #expect(try ask(engine, "followed-author", input).keys == [5])
        #expect(try ask(engine, "followed-author", ChannelInput()).count == 0)
    }

    /// Cell ezs42 and its neighbours: items 1, 3 (a cell to the west; its quality is not known) and 6; 2 is not good enough.
    @Test func placesGiveGoodItemsOfNineCells() throws {
        let engine = try engine(["place": .byCell(dataset), "city": .byCity(dataset)])
        let encoders = try ChannelEncoders(components: [:], catalogue: .init(items: dataset.items))
        func found(_ user: RecallUser) throws -> [UInt64] {
            let requests = encoders.requests([ChannelRequest(channel: "place", limit: 10)], for: user)
            return try ask(engine, "place", requests[0].input).keys
        }
        let state = UserState(user: UserKey(rawValue: 1), isKnown: true, profile: [])
        #expect(try found(RecallUser(state: state, timeMilliseconds: 0)).isEmpty)
        let leon = Place(latitude: 42.6, longitude: -5.6)
        #expect(try found(RecallUser(state: state, timeMilliseconds: 0, place: leon)) == [1, 3, 6])
        // Without a place of his own he is where the newest item is that he touched and that has one.
        var visitor = state
        for item in [1, 4, 5] {
            visitor.record(Interaction(item: dataset.items.keys[item - 1], timeMilliseconds: 1, actions: .click))
        }
        #expect(try found(RecallUser(state: visitor, timeMilliseconds: 0)) == [4])
        #expect(try ask(engine, "city", ChannelInput(keys: [1], weights: [1])).keys == [1, 5, 6])
    }

    @Test func theUsersCityIsTheRequestsOrHisProfiles() throws {
        let users = UserTable(
            keys: [UserKey(rawValue: 1)], publicIDs: StringTable(["1"]),
            fields: [
                CategoricalField(name: "age", vocabulary: StringTable(["", "old"]), values: [1]),
                CategoricalField(name: "city", vocabulary: StringTable(["", "Oslo", "17"]), values: [2]),
            ])
        let encoders = try ChannelEncoders(
            components: [CityEncoder.component: mapped(CityEncoder.component(of: users))],
            catalogue: .init(items: dataset.items))
        func city(_ profile: [UInt32], said: UInt64 = 0) -> [UInt64] {
            let state = UserState(user: UserKey(rawValue: 1), isKnown: true, profile: profile)
            let user = RecallUser(state: state, timeMilliseconds: 0, city: said)
            return Array(encoders.requests([ChannelRequest(channel: "city", limit: 1)], for: user)[0].input.keys)
        }
        #expect(city([1, 2]) == [17])
        #expect(city([1, 1]) == [ItemKey(publicID: "Oslo").rawValue])
        #expect(city([1, 2], said: 99) == [99])
        #expect(city([1, 0]).isEmpty && city([]).isEmpty && city([1, 9]).isEmpty)
    }

    @Test func theCutLeavesOutWhatIsPublishedLater() throws {
        let engine = try engine(["authors": .byAuthor(dataset, until: Self.now - 2 * Self.day)])
        #expect(try ask(engine, "author", ChannelInput(keys: [7, 8], weights: [1, 1])).keys == [3, 4])
    }

    @Test func withoutAPublishTimeTheFirstShowingCounts() throws {
        let dataset = world(
            users: 1, items: 3, authors: [7, 7, 7],
            [
                Showing(user: 0, item: 2, time: Self.now - 3, actions: .click),
                Showing(user: 0, item: 1, time: Self.now - 2, actions: .impression),
                Showing(user: 0, item: 2, time: Self.now - 1, actions: .click),
            ])
        let engine = try engine(["authors": .byAuthor(dataset)])
        #expect(try ask(engine, "author", ChannelInput(keys: [7], weights: [1])).keys == [2, 3, 1])
    }

    @Test(
        arguments: [
            (keys: [2, 1], offsets: [0, 1, 2], items: [1, 2], times: [0, 0], tensor: "key"),
            (keys: [1], offsets: [0, 3], items: [1, 2], times: [0, 0], tensor: "offsets"),
            (keys: [1], offsets: [0, 2], items: [1, 2], times: [0], tensor: "publish_ms"),
            (keys: [1], offsets: [0, 2], items: [1, 2], times: [1, 2], tensor: "entries 0 and 1"),
            (keys: [1], offsets: [0, 2], items: [2, 2], times: [1, 1], tensor: "entries 0 and 1"),
        ] as [(keys: [UInt64], offsets: [UInt64], items: [UInt64], times: [Int64], tensor: String)])
    func hostileListsAreRefused(
        list: (keys: [UInt64], offsets: [UInt64], items: [UInt64], times: [Int64], tensor: String)
    ) throws {
        var writer = SafetensorsWriter()
        writer.add("key", list.keys)
        writer.add("offsets", list.offsets)
        writer.add("item_key", list.items)
        writer.add("publish_ms", list.times)
        let file = try mapped(writer)
        let error = #expect(throws: BlobError.self) { try KeyedListChannel(component: file, by: .author) }
        #expect(error?.message.contains(file.path) == true && error?.message.contains(list.tensor) == true)
    }
}
