import Catalog
import Foundation
import Kernels
import Models
import Testing
import Training

/// What the two-tower model learns from, and what that stands against.
struct TwoTowerSamplingTests {
    // MARK: Frequencies

    private struct Stream: Decodable {
        var rate: Double
        var initial: Double
        var batches: [[UInt32]]
        var gaps: [Float]
    }

    private func stream() throws -> Stream {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/stream.json")
        return try JSONDecoder().decode(Stream.self, from: Data(contentsOf: url))
    }

    @Test func gapsAreThoseOfThePaper() throws {
        let golden = try stream()
        var frequency = StreamingFrequency(
            buckets: 1 << 20, hashes: 3, rate: golden.rate, initialGap: golden.initial)
        for batch in golden.batches { frequency.add(batch) }
        for (item, gap) in golden.gaps.enumerated() {
            #expect(abs(frequency.gap(UInt32(item)) - gap) < 1e-3 * gap, "item \(item)")
        }
    }

    /// With few cells items share them: each looks as frequent as it is, or more so, and no rarer than in one array alone.
    @Test func collisionsOnlyMakeItemsMoreFrequent() throws {
        let golden = try stream()
        func gaps(hashes: Int) -> [Float] {
            var frequency = StreamingFrequency(buckets: 16, hashes: hashes, rate: 1e-2, initialGap: 1)
            for batch in golden.batches { frequency.add(batch) }
            return golden.gaps.indices.map { frequency.gap(UInt32($0)) }
        }
        let (one, four) = (gaps(hashes: 1), gaps(hashes: 4))
        #expect(zip(one, four).allSatisfy { $0 <= $1 })
        #expect(zip(one, four).contains { $0 < $1 })
    }

    // MARK: Positives

    @Test(arguments: [
        // Share .5, kept with sqrt(.01 / .5); at the share and between: once; 2 clicks for 10, but at most 3 times; 5 for 10.
        (5_000, 0.1414), (100, 1.0), (50, 1.0), (2, 3.0), (5, 2.0),
    ])
    func clicksCountByPopularity(clicks: Int, expected: Double) {
        var specification = PositiveSpecification()
        specification.popularShare = 0.01
        specification.tailClicks = 10
        let sampling = PositiveSampling(specification)
        let copies = sampling.copies(clicks: clicks, of: 10_000)
        #expect(abs(copies - expected) < 1e-4)
        var generator = SeededGenerator(seed: 1)
        let mean = Double((0..<20_000).reduce(0) { sum, _ in sum + sampling.draw(copies, using: &generator) }) / 20_000
        #expect(abs(mean - expected) < 0.02)
    }

    @Test func byDefaultEveryClickCountsOnce() {
        let sampling = PositiveSampling(PositiveSpecification())
        #expect(sampling.isPlain)
        #expect([1, 10, 10_000].allSatisfy { sampling.copies(clicks: $0, of: 10_000) == 1 })
    }

    // MARK: Negatives

    /// 16^.75 = 8, 81^.75 = 27, 1, 0: shares 8/36, 27/36, 1/36.
    @Test func globalNegativesFollowClicksToThePower() {
        let draw = PopularityDraw(clicks: [16, 0, 81, 1], power: 0.75)
        var generator = SeededGenerator(seed: 2)
        var counts = [Int](repeating: 0, count: 4)
        for _ in 0..<36_000 { counts[Int(draw.draw(using: &generator))] += 1 }
        #expect(abs(counts[0] - 8_000) < 300 && abs(counts[2] - 27_000) < 300 && abs(counts[3] - 1_000) < 150)
        #expect(counts[1] == 0)
        #expect(abs(draw.logShares[2] - Foundation.log(Float(27.0 / 36))) < 1e-6)
    }

    /// Candidates of user 0 at times 10, 20, 30; items 5...9. Showings: item 6 without a click, item 7 with one.
    private var logged: Dataset {
        var dataset = SmallLog.dataset(
            showings: [(0, 6, 40, [.impression]), (0, 7, 50, [.impression, .click]), (1, 5, 60, [.impression])])
        dataset.rejected = RejectedTable(
            users: [0, 0, 0, 0, 1, 0], items: [5, 6, 7, 8, 9, 9], times: [10, 20, 20, 30, 30, 99])
        return dataset
    }

    private func drawn(_ candidates: RejectedCandidates, user: Int, until: Int64) -> Set<UInt32> {
        var generator = SeededGenerator(seed: 3)
        return Set((0..<200).compactMap { _ in candidates.draw(user: user, until: until, using: &generator) })
    }

    /// What the log has of the user is no hard negative of his: neither what he clicked nor what he was shown and left.
    @Test func hardNegativesAreWhatTheUserNeverMet() {
        let candidates = RejectedCandidates(logged, rows: 0..<3)
        #expect(candidates.count == 3 && candidates.met == 2)
        #expect(drawn(candidates, user: 0, until: 60) == [5, 8])
        #expect(drawn(candidates, user: 1, until: 60) == [9])
    }

    /// None is drawn from requests after the click, nor from after the rows that may be known.
    @Test func hardNegativesAreOfThePast() {
        let candidates = RejectedCandidates(logged, rows: 0..<3)
        #expect(drawn(candidates, user: 0, until: 9) == [])
        #expect(drawn(candidates, user: 0, until: 10) == [5])
        // Of the first row alone, until time 40, the click on item 7 is not known yet.
        #expect(drawn(RejectedCandidates(logged, rows: 0..<1), user: 0, until: 200) == [5, 7, 8])
        #expect(drawn(RejectedCandidates(logged, rows: 0..<0), user: 0, until: 200) == [])
    }
}

/// A log of given showings: users 0 and 1, items 0..<10, in time order.
enum SmallLog {
    static func dataset(showings: [(user: UInt32, item: UInt32, time: Int64, actions: Actions)]) -> Dataset {
        let items = ItemTable(
            keys: SharedBuffer((0..<10).map { ItemKey(rawValue: UInt64($0 + 1)) }),
            publicIDs: StringTable((0..<10).map(String.init)), titles: StringTable((0..<10).map(String.init)),
            categories: SharedBuffer((0..<10).map { _ in 0 }), categoryNames: StringTable([""]),
            authors: SharedBuffer((0..<10).map { _ in 0 }), publishTimes: SharedBuffer((0..<10).map { _ in 0 }),
            durations: SharedBuffer((0..<10).map { _ in 0 }))
        let users = UserTable(
            keys: [UserKey(rawValue: 1), UserKey(rawValue: 2)], publicIDs: StringTable(["a", "b"]), fields: [])
        let log = ExposureTable(
            users: SharedBuffer(showings.map(\.user)), items: SharedBuffer(showings.map(\.item)),
            times: SharedBuffer(showings.map(\.time)), actions: SharedBuffer(showings.map(\.actions.rawValue)),
            watchSeconds: SharedBuffer(showings.map { _ in 0 }), surfaces: SharedBuffer(showings.map { _ in 0 }),
            surfaceNames: StringTable([""]), hasNegatives: true)
        return Dataset(name: "small", users: users, items: items, exposures: log)
    }
}
