import Catalog
import Evaluation
import Kernels
import Testing

struct TimeSplitTests {
    private func log(times: [Int64], isShowing: [Bool]? = nil) -> ExposureTable {
        let zeros = [UInt32](repeating: 0, count: times.count)
        let showings = isShowing ?? times.map { _ in true }
        return ExposureTable(
            users: SharedBuffer(zeros), items: SharedBuffer(zeros), times: SharedBuffer(times),
            actions: SharedBuffer(showings.map { ($0 ? Actions.impression : Actions.click).rawValue }),
            watchSeconds: SharedBuffer(times.map { _ in 0 }), surfaces: SharedBuffer(times.map { _ in 0 }),
            surfaceNames: StringTable([""]), hasNegatives: true)
    }

    @Test func theLastRowsAreHeldBack() {
        let split = TimeSplit(exposures: log(times: Array(0..<10)), fraction: 0.2)
        #expect(split.training == 0..<8 && split.held == 8..<10)
    }

    @Test func rowsOfOneMillisecondStayTogether() {
        let split = TimeSplit(exposures: log(times: [0, 1, 2, 3, 3, 3, 3, 4]), fraction: 0.25)
        #expect(split.training == 0..<3 && split.held == 3..<8)
    }

    @Test func nothingIsHeldBackAtZero() {
        let split = TimeSplit(exposures: log(times: [5, 5, 5]), fraction: 0)
        #expect(split.training == 0..<3 && split.held.isEmpty)
    }

    /// Six actions without their showings, then four showings: half of the showings are the last two rows.
    @Test func onlyTrialsCountTowardsTheFraction() {
        let isShowing = (0..<10).map { $0 >= 6 }
        let split = TimeSplit(exposures: log(times: Array(0..<10), isShowing: isShowing), fraction: 0.5)
        #expect(split.held == 8..<10)
    }

    /// A quarter of the middle eight rows is two, and the row that shares the first one's time comes with them.
    @Test func aPartOfALogIsDivided() {
        let split = TimeSplit(exposures: log(times: [0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 9]), rows: 1..<9, fraction: 0.25)
        #expect(split.training == 1..<6 && split.held == 6..<9)
        #expect(TimeSplit(exposures: log(times: [4, 4, 4, 4]), rows: 1..<3, fraction: 0.5).held == 1..<3)
    }

    @Test func aTimeDivides() {
        let table = log(times: [1, 2, 2, 5])
        #expect(TimeSplit(exposures: table, at: 2).held == 1..<4)
        #expect(TimeSplit(exposures: table, at: 3).held == 3..<4)
        #expect(TimeSplit(exposures: table, at: 0).training.isEmpty)
        #expect(TimeSplit(exposures: table, at: .max).held.isEmpty)
    }
}
