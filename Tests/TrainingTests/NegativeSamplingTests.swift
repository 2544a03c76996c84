import Catalog
import Features
import Kernels
import Testing
import Training

struct NegativeSamplingTests {
    /// Ten users who each click five of forty items; no showings.
    private func ratings() -> Dataset {
        let (users, items) = (10, 40)
        var columns: (users: [UInt32], items: [UInt32], times: [Int64]) = ([], [], [])
        for touch in 0..<50 {
            columns.users.append(UInt32(touch % users))
            columns.items.append(UInt32((touch * 7 + touch / users) % items))
            columns.times.append(Int64(1_000 + touch))
        }
        return Dataset(
            name: "ratings",
            users: UserTable(
                keys: SharedBuffer((1...users).map { UserKey(rawValue: UInt64($0)) }),
                publicIDs: StringTable((1...users).map(String.init)), fields: []),
            items: ItemTable(
                keys: SharedBuffer((1...items).map { ItemKey(rawValue: UInt64($0)) }),
                publicIDs: StringTable((1...items).map(String.init)), titles: StringTable((1...items).map(String.init)),
                categories: SharedBuffer(repeatElement(0, count: items)), categoryNames: StringTable([""]),
                authors: SharedBuffer(repeatElement(0, count: items)),
                publishTimes: SharedBuffer(repeatElement(0, count: items)),
                durations: SharedBuffer(repeatElement(0, count: items))),
            exposures: ExposureTable(
                users: SharedBuffer(columns.users), items: SharedBuffer(columns.items),
                times: SharedBuffer(columns.times),
                actions: SharedBuffer(repeatElement(Actions.click.rawValue, count: 50)),
                watchSeconds: SharedBuffer(repeatElement(0, count: 50)),
                surfaces: SharedBuffer(repeatElement(0, count: 50)), surfaceNames: StringTable([""]),
                hasNegatives: false))
    }

    @Test func negativesStandBesideTheirClicks() {
        let dataset = ratings()
        let log = NegativeSampling(perClick: 4, seed: 1).apply(dataset).exposures
        #expect(log.count == 250)
        var clicks: Set<[UInt32]> = []
        for row in 0..<dataset.exposures.count {
            clicks.insert([dataset.exposures.users[row], dataset.exposures.items[row]])
        }
        for row in stride(from: 0, to: log.count, by: 5) {
            #expect(Actions(rawValue: log.actions[row]) == .click)
            for negative in row + 1..<row + 5 {
                #expect(log.actions[negative] == 0 && log.times[negative] == log.times[row])
                #expect(log.users[negative] == log.users[row])
                #expect(!clicks.contains([log.users[negative], log.items[negative]]))
                #expect(log.isTrial(negative))
            }
        }
    }

    @Test func theSeedDecides() {
        let dataset = ratings()
        let first = NegativeSampling(seed: 1).apply(dataset).exposures.items
        #expect(NegativeSampling(seed: 1).apply(dataset).exposures.items == first)
        #expect(NegativeSampling(seed: 2).apply(dataset).exposures.items != first)
    }

    @Test func aLogWithNegativesIsLeftAlone() {
        var dataset = ratings()
        dataset.exposures.hasNegatives = true
        #expect(NegativeSampling(seed: 1).apply(dataset).exposures.count == 50)
    }
}
