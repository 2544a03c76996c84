import Catalog
import Evaluation
import Kernels
import Testing

@Suite struct EvaluationSplitTests {
    /// User, item, clicked or only shown; in the order of time.
    private let log = ExposureTable(
        users: [0, 1, 0, 1, 0, 2, 0, 1], items: [0, 0, 1, 1, 2, 3, 3, 2], times: [1, 2, 3, 4, 5, 6, 7, 8],
        actions: SharedBuffer(
            [true, true, true, false, true, false, false, true].map {
                ($0 ? [.impression, .click] as Actions : .impression).rawValue
            }),
        watchSeconds: SharedBuffer([Float](repeating: 0, count: 8)),
        surfaces: SharedBuffer([UInt16](repeating: 0, count: 8)),
        surfaceNames: StringTable([""]), hasNegatives: true)

    @Test func leaveOneOutHoldsBackTheLastClickAndWhatFollowed() {
        let rows = EvaluationSplit.leaveOneOut.divide(log, users: 3, seed: 1)
        // User 0: the click of row 4; row 6 came later. User 1: row 7. User 2 never clicked.
        #expect(rows.held == [4, 7])
        #expect(rows.training == [0, 1, 2, 3, 5])
    }

    @Test func aTimeSplitHoldsBackTheLastShowings() {
        let rows = EvaluationSplit.time(fraction: 0.5).divide(log, users: 3, seed: 1)
        #expect(rows.training == [0, 1, 2, 3] && rows.held == [4, 7])
    }

    @Test(arguments: [1, 2, 3])
    func aRandomSplitHoldsBackAShareOfEveryUsersClicks(seed: UInt64) {
        let rows = EvaluationSplit.random(fraction: 0.5).divide(log, users: 3, seed: seed)
        // 3 clicks of user 0: 1.5 rounds to 2; 2 of user 1: 1.
        #expect(rows.held.count { log.users[$0] == 0 } == 2 && rows.held.count { log.users[$0] == 1 } == 1)
        #expect(rows.held.count == 3)
        #expect((rows.held + rows.training).sorted() == Array(0..<8))
        #expect(rows == EvaluationSplit.random(fraction: 0.5).divide(log, users: 3, seed: seed))
    }

    @Test(arguments: [
        ("time:0.2", EvaluationSplit.time(fraction: 0.2)), ("leave-one-out", .leaveOneOut),
        ("random:0.25", .random(fraction: 0.25)), ("time", nil), ("time:1", nil), ("time:x", nil), ("random:", nil),
        ("leave-one-out:2", nil), ("", nil),
    ])
    func splitsAreRead(text: String, expected: EvaluationSplit?) {
        #expect(EvaluationSplit(text) == expected)
    }
}
