import Blobs
import Catalog
import Kernels
import Recall
import Testing

@Suite struct UserCFTests {
    @Test(arguments: ["all", "drawn"])
    func listsAreTheBruteForceOnes(name: String) throws {
        let golden = try CooccurrenceGolden()
        let index = build(golden, usersMax: name == "all" ? 1_000 : golden.usersMax)
        #expect(index.figures["capped_items"] == (name == "all" ? 0 : Double(golden.cappedItems)))
        let rows = try golden.rows((rows: "usercf.\(name).rows", values: "usercf.\(name).values"))
        for (user, expected) in rows.enumerated() {
            let found = index.lists[user]
            expectEqual((found.map(\.row), found.map(\.similarity)), expected, "user \(user)")
        }
    }

    private func build(_ golden: CooccurrenceGolden, usersMax: Int = 1_000) -> UserCFIndex {
        UserCFBuilder(
            historyMax: golden.historyMax, usersMax: usersMax, neighbours: golden.neighbours, seed: golden.seed,
            threads: 2
        ).build(golden.dataset, states: states(golden.dataset, until: golden.until), until: golden.until)
    }

    /// Users nobody has met before are given neighbours, and items, by their live last-n.
    @Test(arguments: [1, 3])
    func aNewUserIsAnsweredAsByBruteForce(shards: Int) throws {
        let golden = try CooccurrenceGolden()
        let index = build(golden)
        let encoder = try UserCFEncoder(component: mapped(index.component()))
        let engines = try (0..<shards).map {
            try RecallShardEngine(
                shard: $0, of: shards,
                components: ["usercf-histories": mapped(index.itemsOfUsers.component(shard: $0, of: shards))])
        }
        let neighbours = try golden.rows((rows: "live.rows", values: "live.values"))
        let items = try golden.rows((rows: "live.items", values: "live.scores"))
        for (row, triggers) in try golden.queries().enumerated() {
            let state = liking(triggers.rows.map { UInt64($0) + 1 }, user: 1_000)
            let input = encoder.input(for: RecallUser(state: state, timeMilliseconds: 0))
            expectEqual(
                (input.keys.map { Int($0) }, Array(input.weights)), neighbours[row], "neighbours of query \(row)")
            let request = RecallQuery(
                RecallUser(state: state, timeMilliseconds: 0),
                channels: [ChannelRequest(channel: "usercf", limit: 15, input: input)])
            let found = ChannelMerge.merge(engines.flatMap { $0.recall(request) }, channel: "usercf", limit: 15)
            #expect(found.candidates.keys == items[row].rows.map { UInt64($0) + 1 }, "query \(row)")
            for (score, expected) in zip(found.candidates.scores, items[row].values) {
                #expect(abs(score - expected) < 1e-5 * expected, "query \(row)")
            }
        }
    }

    /// Clicks on these items, the last the newest.
    private func liking(_ items: [UInt64], user: UInt64, at time: Int64 = 10_000) -> UserState {
        var state = UserState(user: UserKey(rawValue: user), isKnown: true, profile: [])
        for (place, item) in items.enumerated() {
            state.record(
                Interaction(
                    item: ItemKey(rawValue: item), timeMilliseconds: time + Int64(place), actions: .click))
        }
        return state
    }

    /// Users 0 and 1 like item 1; user 2 likes items 2 and 3, user 3 item 3. Keys are rows plus 1 for items, rows for users.
    private let byHand = world(
        users: 4, items: 3,
        [(0, 0), (1, 0), (2, 1), (2, 2), (3, 2)].enumerated().map {
            Showing(user: $1.0, item: $1.1, time: Int64($0 + 1), actions: .click)
        })

    @Test func similaritiesByHand() throws {
        let index = UserCFBuilder().build(byHand, states: states(byHand))
        // 1 / log 3 / sqrt(1), 1 / log 3 / sqrt(2).
        #expect(index.lists[0].map(\.row) == [1] && index.lists[3].map(\.row) == [2])
        #expect(index.lists[0].map(\.similarity) == [0.91023922])
        #expect(index.lists[3].map(\.similarity) == [0.64363633])
    }

    @Test func anEventChangesTheNextPage() throws {
        let all = states(byHand)
        let index = UserCFBuilder().build(byHand, states: all)
        let encoder = try UserCFEncoder(component: mapped(index.component()))
        func neighbours(_ state: UserState) -> [UInt64] {
            Array(encoder.input(for: RecallUser(state: state, timeMilliseconds: 0)).keys)
        }
        var state = all[0]
        #expect(neighbours(state) == [1])
        // Item 3 has two users, of whom user 3 has the shorter history; user 1 is as like as he.
        state.record(Interaction(item: ItemKey(rawValue: 3), timeMilliseconds: 1, actions: .like))
        #expect(neighbours(state) == [1, 3, 2])
        // A showing, or an action that is no like, leaves him as he was.
        var shown = all[0]
        shown.record(Interaction(item: ItemKey(rawValue: 3), timeMilliseconds: 50, actions: [.impression, .hide]))
        shown.record(Interaction(item: ItemKey(rawValue: 3), timeMilliseconds: 51, actions: .finish))
        #expect(neighbours(shown) == [1])
    }

    /// The list that was made offline is what the live last-n gives, for users whose history is no longer than that.
    @Test func offlineAndLiveAgree() throws {
        let golden = try CooccurrenceGolden()
        let index = build(golden)
        let encoder = try UserCFEncoder(component: mapped(index.component()))
        for state in states(golden.dataset, until: golden.until) where state.recent.count <= golden.historyMax {
            // The same likes under another time are unknown to the index.
            var moved = UserState(user: state.user, isKnown: true, profile: [])
            for var touch in state.recent {
                touch.timeMilliseconds += 1
                moved.record(touch)
            }
            let offline = encoder.input(for: RecallUser(state: state, timeMilliseconds: 0))
            let live = encoder.input(for: RecallUser(state: moved, timeMilliseconds: 0))
            #expect(offline.keys == live.keys)
            for (left, right) in zip(offline.weights, live.weights) { #expect(abs(left - right) <= left.ulp) }
        }
    }

    @Test func nothingLikedGivesNothing() throws {
        let seen = world(users: 2, items: 2, [Showing(user: 0, item: 0, time: 1, actions: .impression)])
        let index = UserCFBuilder().build(seen, states: states(seen))
        let encoder = try UserCFEncoder(component: mapped(index.component()))
        #expect(encoder.input(for: RecallUser(state: states(seen)[0], timeMilliseconds: 0)) == ChannelInput())
        #expect(
            encoder.input(for: RecallUser(state: liking([1, 7], user: 5), timeMilliseconds: 0)) == ChannelInput())
    }

    /// One user who likes one item, and one fault.
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var integers: [String: [UInt32]] = ["history": [1], "neighbour": [], "posting": [0]]
        var longs: [String: [UInt64]] = [
            "user_key": [1], "newest_item": [2], "neighbour_offsets": [0, 0], "item_key": [2],
            "posting_offsets": [0, 1],
        ]
        var floats: [String: [Float]] = ["similarity": [], "item_weight": [1]]
        var neighbours: String? = "5"

        init(_ description: String, _ adjust: (inout Fault) -> Void) {
            testDescription = description
            adjust(&self)
        }

        func file() throws -> SafetensorsFile {
            var writer = SafetensorsWriter(metadata: neighbours.map { ["neighbours": $0] } ?? [:])
            for (name, values) in integers { writer.add(name, values) }
            for (name, values) in longs { writer.add(name, values) }
            for (name, values) in floats { writer.add(name, values) }
            writer.add("newest_ms", [Int64(0)])
            return try mapped(writer)
        }
    }

    @Test func theFaultlessFormLoads() throws {
        let encoder = try UserCFEncoder(component: Fault("none") { _ in }.file())
        let input = encoder.input(for: RecallUser(state: liking([2], user: 9), timeMilliseconds: 0))
        #expect(input == ChannelInput(keys: [1], weights: [1]))
    }

    @Test(arguments: [
        Fault("a user without history") { $0.integers["history"] = [0] },
        Fault("a neighbour who is not there") {
            $0.integers["neighbour"] = [1]
            $0.floats["similarity"] = [1]
            $0.longs["neighbour_offsets"] = [0, 1]
        },
        Fault("a similarity of zero") {
            $0.integers["neighbour"] = [0]
            $0.floats["similarity"] = [0]
            $0.longs["neighbour_offsets"] = [0, 1]
        },
        Fault("a posting beyond the users") { $0.integers["posting"] = [1] },
        Fault("a weight that is not a number") { $0.floats["item_weight"] = [.nan] },
        Fault("offsets beyond the postings") { $0.longs["posting_offsets"] = [0, 2] },
        Fault("too few histories") { $0.integers["history"] = [] },
        Fault("no newest items") { $0.longs["newest_item"] = nil }, Fault("no limit") { $0.neighbours = nil },
        Fault("a limit of nothing") { $0.neighbours = "0" }, Fault("too high a limit") { $0.neighbours = "1001" },
    ])
    func hostileComponentsAreRefused(fault: Fault) throws {
        let file = try fault.file()
        let error = #expect(throws: BlobError.self) { try UserCFEncoder(component: file) }
        #expect(error?.message.contains(file.path) == true, "\(error as Any)")
    }
}
