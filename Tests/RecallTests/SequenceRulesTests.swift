import Blobs
import Catalog
import Foundation
import Kernels
import Recall
import Testing

/// Sequence rules, the Markov chain and EASE; expected numbers from make_golden.py and by hand.
@Suite struct SequenceRulesTests {
    private func golden(_ name: String) throws -> [CooccurrenceGolden.Row] {
        try CooccurrenceGolden().rows((rows: "\(name).rows", values: "\(name).values"), of: "lists")
    }

    private func sequence(window: Int, normalization: Double, neighbours: Int, threads: Int = 2) -> SequenceRulesBuilder
    {
        var builder = SequenceRulesBuilder()
        builder.window = window
        builder.normalization = normalization
        builder.neighbours = neighbours
        builder.threads = threads
        return builder
    }

    @Test(arguments: [("markov", 1, 1.0, 1), ("sequence", 3, 0.5, 2)])
    func listsAreTheBruteForceOnes(name: String, window: Int, normalization: Double, threads: Int) throws {
        let log = try CooccurrenceGolden()
        var builder = sequence(
            window: window, normalization: normalization, neighbours: log.neighbours, threads: threads)
        builder.historyMax = log.historyMax
        let lists = builder.build(log.dataset, until: log.until).lists
        let expected = try golden(name)
        #expect(expected.count == lists.count)
        for (item, row) in expected.enumerated() {
            let found = lists[item]
            expectEqual((found.map(\.row), found.map(\.similarity)), row, "item \(item)")
        }
    }

    @Test func easeIsTheInverseOfNumPy() throws {
        let log = try CooccurrenceGolden()
        let lists = try EASEBuilder(
            regularization: 5, historyMax: log.historyMax, neighbours: log.neighbours, threads: 2
        ).build(log.dataset, until: log.until).lists
        for (item, expected) in try golden("ease").enumerated() {
            let found = lists[item]
            #expect(found.map(\.row) == expected.rows, "item \(item)")
            for (found, expected) in zip(found, expected.values) {
                #expect(abs(found.similarity - expected) < 1e-5, "item \(item)")
            }
        }
    }

    /// One user goes 1, 2, 3; another 1, 3. From 1: to 2 once, to 3 a half and once: 2.5 in all.
    private let byHand = world(
        users: 2, items: 4,
        [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)].enumerated().map {
            Showing(user: $1.0, item: $1.1, time: Int64($0), actions: .click)
        })

    @Test func stepsByHand() {
        let lists = sequence(window: 2, normalization: 1, neighbours: 5).build(byHand).lists
        #expect(lists[0].map(\.row) == [2, 1])
        #expect(lists[0].map(\.similarity) == [0.6, 0.4])
        #expect(lists[1].map(\.row) == [2] && lists[1].map(\.similarity) == [1])
        #expect(lists[2].isEmpty && lists[3].isEmpty)
    }

    /// The newest trigger counts 1, the one before a half; triggers are not offered.
    @Test func theEncoderWeighsTriggersByTheirPlace() throws {
        let postings = sequence(window: 2, normalization: 1, neighbours: 5).build(byHand).postings
        let engine = try RecallShardEngine(
            shard: 0, of: 1, components: ["sequence": mapped(postings.component(shard: 0, of: 1))])
        let encoder = try TriggerEncoder(component: mapped(TriggerEncoder(weights: [1, 0.5]).component()))
        func answer(_ items: [UInt64]) -> Candidates {
            var state = UserState(user: UserKey(rawValue: 9), isKnown: true, profile: [])
            for (time, item) in items.enumerated() {
                state.record(
                    Interaction(item: ItemKey(rawValue: item), timeMilliseconds: Int64(time), actions: .click))
            }
            let user = RecallUser(state: state, timeMilliseconds: 10)
            let request = ChannelRequest(channel: "sequence", limit: 10, input: encoder.input(for: user))
            return engine.recall(RecallQuery(user, channels: [request]))[0].candidates
        }
        #expect(answer([1]).keys == [3, 2] && Array(answer([1]).scores) == [0.6, 0.4])
        #expect(answer([1, 2]).keys == [3] && Array(answer([1, 2]).scores) == [1.3])
        // The third last is not looked at.
        #expect(answer([1, 4, 2]).keys == [3] && Array(answer([1, 4, 2]).scores) == [1])
        #expect(answer([]).keys.isEmpty)
    }

    @Test(arguments: [[0], [-1], [.nan], [.infinity], [1, 0]] as [[Float]])
    func hostileWeightsAreRefused(weights: [Float]) throws {
        var writer = SafetensorsWriter()
        writer.add("weight", weights)
        let file = try mapped(writer)
        let error = #expect(throws: BlobError.self) { try TriggerEncoder(component: file) }
        #expect(error?.message.contains("\"weight\": row \(weights.count - 1)") == true, "\(error as Any)")
    }

    @Test func aCatalogueTooLargeForAClosedFormIsRefused() {
        let large = world(users: 1, items: EASEBuilder.itemsMax + 1, [])
        let error = #expect(throws: RecallError.self) { try EASEBuilder().build(large) }
        #expect(error?.message.contains("20001 items") == true)
    }
}
