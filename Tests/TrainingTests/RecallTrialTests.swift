import Catalog
import Evaluation
import Kernels
import Models
import Testing
import Training

/// Figures of a log small enough to count by hand.
@Suite struct RecallTrialTests {
    /// Six items, four users; all go 0, 1, 2, and two of them on to 3, one to 4, one to 5.
    private func world() -> Dataset {
        let histories: [[UInt32]] = [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 4], [0, 1, 2, 5]]
        var rows: [(user: UInt32, item: UInt32, time: Int64)] = []
        for (user, items) in histories.enumerated() {
            for (place, item) in items.enumerated() {
                rows.append((UInt32(user), item, Int64(place * 4 + user) * 1_000))
            }
        }
        rows.sort { $0.time < $1.time }
        let names = (0..<6).map(String.init)
        let none = SharedBuffer([UInt32](repeating: 0, count: 6))
        return Dataset(
            name: "by hand",
            users: UserTable(
                keys: SharedBuffer((1...4).map { UserKey(rawValue: $0) }),
                publicIDs: StringTable(["a", "b", "c", "d"]),
                fields: []),
            items: ItemTable(
                keys: SharedBuffer((1...6).map { ItemKey(rawValue: $0) }), publicIDs: StringTable(names),
                titles: StringTable(names), categories: none, categoryNames: StringTable([""]),
                authors: SharedBuffer([UInt64](repeating: 0, count: 6)),
                publishTimes: SharedBuffer([Int64](repeating: 0, count: 6)),
                durations: SharedBuffer([Float](repeating: 0, count: 6))),
            exposures: ExposureTable(
                users: SharedBuffer(rows.map(\.user)), items: SharedBuffer(rows.map(\.item)),
                times: SharedBuffer(rows.map(\.time)), actions: SharedBuffer(rows.map { _ in Actions.click.rawValue }),
                watchSeconds: SharedBuffer(rows.map { _ in 0 }), surfaces: SharedBuffer(rows.map { _ in 0 }),
                surfaceNames: StringTable([""]), hasNegatives: false))
    }

    @Test func leaveOneOutByHand() throws {
        let trial = try RecallTrial(world(), options: TrainingOptions(), progress: .silent)
        let report = try trial.run(.leaveOneOut, channels: ["popular", "markov"], usersMax: 100)
        #expect(report.trainingRows == 12 && report.heldClicks == 4)
        let recall = report.recall
        #expect(recall.users == 4 && recall.itemsPerUser == 1)
        // Items 0, 1 and 2 have four clicks each: two of them make up half of all.
        #expect(recall.headItems == 2 && recall.headShare == 0)
        // What is left to learn from never shows 3, 4 and 5: nobody has anything to say of them.
        #expect(recall.channels.map(\.channel) == ["popular", "markov"])
        #expect(recall.channels.allSatisfy { $0.atDepth.allSatisfy { $0.recall == 0 } && $0.alone == 0 })
    }

    @Test func aTimeSplitByHand() throws {
        // The last fifth, three rows: users b, c and d go to 3, 4 and 5; a went to 3 before.
        let trial = try RecallTrial(world(), options: TrainingOptions(), progress: .silent)
        let report = try trial.run(.time(fraction: 0.2), channels: ["popular", "markov"], usersMax: 100)
        #expect(report.heldClicks == 3)
        let recall = report.recall
        let markov = try #require(recall.channels.first { $0.channel == "markov" })
        let popular = try #require(recall.channels.first { $0.channel == "popular" })
        // From 2 to 3: b finds it first, the others do not find what they went to.
        #expect(
            abs(markov.atDepth[0].recall - 1.0 / 3) < 1e-12 && abs(markov.atDepth[0].normalizedGain - 1.0 / 3) < 1e-12)
        #expect(markov.candidates == 1 && abs(markov.coverage - 1.0 / 6) < 1e-12)
        #expect(markov.headRecall == nil && abs((markov.tailRecall ?? 0) - 1.0 / 3) < 1e-12)
        // Popular has it too: nothing is found by one alone.
        #expect(abs(popular.atDepth[0].recall - 1.0 / 3) < 1e-12)
        #expect(markov.alone == 0 && popular.alone == 0)
        #expect(recall.union.allSatisfy { abs($0.recall - 1.0 / 3) < 1e-12 })
        // 13 clicks on 6 items, one more each: item 3 has 2 of 19.
        #expect(abs((markov.novelty ?? 0) - 3.2479275134435857) < 1e-9)
    }

    @Test func unknownChannelsAndEmptySplitsAreRefused() throws {
        let trial = try RecallTrial(world(), options: TrainingOptions(), progress: .silent)
        let unknown = #expect(throws: TrainingError.self) {
            try trial.run(.leaveOneOut, channels: ["swing", "swinging"], usersMax: 9)
        }
        #expect(unknown?.message.contains("unknown channel \"swinging\"; known: two-tower, itemcf") == true)
        var options = TrainingOptions()
        options.specification.recall.off = ["everything"]
        let off = #expect(throws: TrainingError.self) {
            try RecallTrial(world(), options: options, progress: .silent).run(.leaveOneOut, usersMax: 9)
        }
        #expect(off?.message.contains("recall.off") == true)
    }
}
