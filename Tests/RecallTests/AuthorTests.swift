import Blobs
import Catalog
import Kernels
import Recall
import Testing

/// Item i is by author 10 (i + 1); users follow, like or click.
@Suite struct AuthorTests {
    private func log(_ touches: [(user: Int, item: Int, actions: Actions)]) -> Dataset {
        world(
            users: 4, items: 5, authors: [10, 20, 30, 40, 0],
            touches.enumerated().map { Showing(user: $1.user, item: $1.item, time: Int64($0 + 1), actions: $1.actions) }
        )
    }

    /// Followers: 10 has users 0, 1, 2; 20 has 1, 2; 30 has 2; 40 has nobody.
    private let pairs = [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2)]

    /// 2 / sqrt(3 * 2), 1 / sqrt(3 * 1), 1 / sqrt(2 * 1).
    @Test(arguments: [Actions.follow, .share, .click])
    func authorsWithSharedFollowersAreSimilar(action: Actions) {
        let graph = AuthorGraph(log(pairs.map { ($0.0, $0.1, action) } + [(3, 4, action)]))
        #expect(graph.basis == (action == .follow ? .follows : action == .share ? .likes : .clicks))
        let similar = graph.similarAuthors()
        #expect(similar.keys.sorted() == [10, 20, 30])
        #expect(similar[10]?.map(\.author) == [20, 30])
        #expect(similar[10]?.map(\.similarity) == [0.8164966, 0.57735026])
        #expect(similar[20]?.map(\.author) == [10, 30])
        #expect(similar[20]?.map(\.similarity) == [0.8164966, 0.70710677])
        #expect(similar[30]?.map(\.author) == [20, 10])
        #expect(graph.similarAuthors(1)[30]?.map(\.author) == [20])
    }

    @Test func followsAreFollowsWhereverTheyAreTold() {
        var dataset = log([(0, 0, .follow), (1, 1, .click)])
        dataset.follows = FollowTable(users: [0, 1, 1], authors: [20, 10, 20], times: [0, 1, 9])
        #expect(AuthorGraph(dataset).similarAuthors()[10]?.map(\.similarity) == [1])
        // Before 9, user 1 follows 10 alone.
        #expect(AuthorGraph(dataset, until: 9).similarAuthors()[20]?.map(\.similarity) == [0.70710677])
    }

    /// By ascending author.
    private struct Weighted: Equatable {
        var author: UInt64
        var weight: Float
    }

    private func weighted(_ pairs: (UInt64, Float)...) -> [Weighted] {
        pairs.map { Weighted(author: $0.0, weight: $0.1) }
    }

    private func inputs(
        _ dataset: Dataset, _ state: UserState, live: [ItemKey: LiveItem] = [:]
    ) throws -> [String: [Weighted]] {
        let graph = AuthorGraph(dataset)
        let encoders = try ChannelEncoders(
            components: [
                "follows": mapped(graph.followsComponent()),
                "similar-authors": mapped(graph.similarAuthorsComponent()),
            ], catalogue: .init(items: dataset.items))
        let channels = ["followed-author", "author", "similar-author"]
        let requests = encoders.requests(
            channels.map { ChannelRequest(channel: $0, limit: 1) },
            for: RecallUser(state: state, timeMilliseconds: 0, liveItems: live))
        return Dictionary(
            uniqueKeysWithValues: requests.map { request in
                (
                    request.channel,
                    zip(request.input.keys, request.input.weights).map { Weighted(author: $0, weight: $1) }
                        .sorted { $0.author < $1.author }
                )
            })
    }

    private func touch(_ state: inout UserState, _ item: UInt64, _ actions: Actions) {
        state.record(Interaction(item: ItemKey(rawValue: item), timeMilliseconds: 100, actions: actions))
    }

    @Test func theUsersSideNamesHisAuthors() throws {
        let dataset = log(pairs.map { ($0.0, $0.1, Actions.follow) })
        var state = UserState(user: UserKey(rawValue: 1), isKnown: true, profile: [])
        touch(&state, 3, [.click, .like, .share])
        touch(&state, 1, [.click])
        touch(&state, 3, [.collect])
        touch(&state, 4, [.follow])
        touch(&state, 5, [.like])  // By nobody known.
        let inputs = try inputs(dataset, state)
        // User 1 follows 10 and 20 by the log, 40 since.
        #expect(inputs["followed-author"] == weighted((10, 1), (20, 1), (40, 1)))
        #expect(inputs["author"] == weighted((30, 3)))
        // Similar to 30: 20 and 10; 40 has no followers in the log.
        #expect(inputs["similar-author"] == weighted((10, 0.57735026), (20, 0.70710677)))
    }

    @Test func whatIsKnownOfALiveItemCounts() throws {
        let dataset = log(pairs.map { ($0.0, $0.1, Actions.follow) })
        var state = UserState(user: UserKey(rawValue: 9), isKnown: true, profile: [])
        touch(&state, 77, [.like, .follow])
        touch(&state, 78, [.like])
        let item = LiveItem(publicID: "77", author: 20, publishMilliseconds: 1)
        let inputs = try inputs(dataset, state, live: [item.key: item])
        #expect(inputs["author"] == weighted((20, 1)) && inputs["followed-author"] == weighted((20, 1)))
        #expect(inputs["similar-author"] == weighted((10, 0.8164966), (30, 0.70710677)))
    }

    @Test func clicksStandInForLikes() throws {
        let dataset = log(pairs.map { ($0.0, $0.1, Actions.follow) })
        var state = UserState(user: UserKey(rawValue: 9), isKnown: true, profile: [])
        touch(&state, 1, [.click])
        touch(&state, 2, [.click])
        let inputs = try inputs(dataset, state)
        #expect(inputs["author"] == [] && inputs["followed-author"] == [])
        #expect(inputs["similar-author"] == weighted((30, 0.57735026 + 0.70710677)))
    }

    @Test func anEmptyWorldHasNoAuthors() throws {
        let state = UserState(user: UserKey(rawValue: 9), isKnown: false, profile: [])
        let inputs = try inputs(world(users: 0, items: 0, []), state)
        #expect(inputs.values.allSatisfy { $0.isEmpty })
    }
}
