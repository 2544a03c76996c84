import Catalog
import Features
import Foundation
import Kernels
import Models
import Ranking
import Synchronization
import Testing

@Suite struct RankerTests {
    private let world: PreRankWorld

    init() throws {
        world = try PreRankWorld()
    }

    /// Predicts of catalogue row r: click r / 1000, like 1 when r is even; of a live item nothing. Each candidate takes
    /// `cost` of the clock.
    private struct ByRow: RankingStage {
        let heads = ["click", "like"]
        let finishRates: [String: FinishRate] = [:]
        var clock = TestClock()
        var cost: Duration = .zero

        func predict(
            _ state: UserState, _ scene: Scene, _ candidates: [RankingCandidate],
            into predictions: UnsafeMutableBufferPointer<Float>
        ) {
            for (place, candidate) in candidates.enumerated() {
                predictions[2 * place] = candidate.row.map { Float($0) / 1_000 } ?? 0
                predictions[2 * place + 1] = candidate.row.map { $0 % 2 == 0 ? 1 : 0 } ?? 0
            }
            clock.advance(cost * candidates.count)
        }
    }

    /// Stands still unless it is moved.
    private final class TestClock: Sendable {
        private let time = Mutex(Duration.zero)

        func advance(_ duration: Duration) { time.withLock { $0 += duration } }

        var now: Duration { time.withLock { $0 } }
    }

    private static let fusion = FusionSpecification(
        .sum, [FusionTerm(head: "click"), FusionTerm(head: "like", weight: 10)])

    private func query(_ rows: Range<Int>) -> RankingQuery {
        RankingQuery(
            world.state(5), Scene(timeMilliseconds: world.now), items: SharedBuffer(rows.map { world.items.keys[$0] }))
    }

    @Test func whatComesThroughIsOrderedByTheFusedPredictions() throws {
        let ranker = try Ranker(world.preRanker, stage: ByRow(), fusion: Self.fusion)
        var query = query(0..<300)
        query.cut = PreRankCut(keep: 100)
        query.explains = true
        let ranked = ranker.rank(query).items
        #expect(ranked.isRanked && ranked.preRanked == 300 && ranked.kept == 100 && ranked.items.count == 100)
        let rows = ranked.items.map { Int($0.rawValue - 1_000) / 3 }
        #expect(rows == rows.sorted { ($0 % 2, -$0) < ($1 % 2, -$1) })
        #expect(ranked.heads == ["click", "like"] && ranked.terms == ["click", "like"])
        for (place, row) in rows.enumerated() {
            #expect(abs(ranked.scores[place] - Float(row) / 1_000 - (row % 2 == 0 ? 10 : 0)) < 1e-5)
            #expect(ranked.predictions[2 * place] == Float(row) / 1_000)
            #expect(ranked.termContributions[2 * place + 1] == (row % 2 == 0 ? 10 : 0))
        }
        // The hundred that the pre-ranker puts first, whatever comes of them.
        #expect(ranked.preRankPositions.sorted() == (1...100).map { $0 })
        var unranked = query
        unranked.cut = PreRankCut(keep: 0)
        let preRanked = try Ranker(world.preRanker).rank(unranked).items
        #expect(!preRanked.isRanked && Set(preRanked.items.prefix(100)) == Set(ranked.items))
        for (place, item) in ranked.items.enumerated() {
            let position = Int(ranked.preRankPositions[place])
            #expect(preRanked.items[position - 1] == item)
            #expect(preRanked.scores[position - 1] == ranked.preRankScores[place])
        }
    }

    @Test func quotasDecideWhoIsRanked() throws {
        let ranker = try Ranker(world.preRanker, stage: ByRow(), fusion: Self.fusion)
        var query = query(0..<300)
        let order = ranker.rank(query).items
        // Channel 1 found what the pre-ranker likes least.
        let worst = Set(zip(order.items, order.preRankPositions).sorted { $0.1 > $1.1 }.prefix(5).map(\.0))
        query.found = SharedBuffer(query.items.map { worst.contains($0) ? 2 : 1 })
        query.channelCount = 2
        query.cut = PreRankCut(keep: 50, channelMinimum: 5)
        let ranked = ranker.rank(query).items
        #expect(ranked.kept == 50 && ranked.keptByChannel == [45, 5] && worst.isSubset(of: ranked.items))
    }

    @Test func anItemThatTheSnapshotDoesNotHaveIsRankedToo() throws {
        let ranker = try Ranker(world.preRanker, stage: ByRow(), fusion: Self.fusion)
        let fresh = LiveItem(publicID: "fresh", publishMilliseconds: world.now)
        var query = query(3..<5)
        query.items = SharedBuffer([fresh.key] + query.items + [ItemKey(rawValue: 1)])
        query.live = [fresh]
        let ranked = ranker.rank(query).items
        #expect(ranked.items == [world.items.keys[4], world.items.keys[3], fresh.key])
        #expect(ranked.scores[2] == 0 && ranked.unknownItems == 1)
    }

    @Test func aFormulaOfHeadsThatTheModelLacksIsRefused() throws {
        let error = #expect(throws: ModelError.self) {
            try Ranker(world.preRanker, stage: ByRow(), fusion: FusionSpecification(.sum, [FusionTerm(head: "buy")]))
        }
        #expect(
            error?.message
                == "fusion.terms[0] (buy): there is no head 'buy'; the snapshot's ranking model has click, like")
    }

    /// A candidate takes 1 ms to rank: nine tenths of 61 ms are enough for 54, of 5 ms for 4, but the page needs 20.
    @Test func underPressureFewerAreRanked() throws {
        let clock = TestClock()
        let ranker = try Ranker(
            world.preRanker, stage: ByRow(clock: clock, cost: .milliseconds(1)), fusion: Self.fusion,
            clock: { clock.now })
        var query = query(0..<300)
        query.cut = PreRankCut(keep: 200)
        query.least = 20
        // The estimate settles.
        for _ in 0..<100 { #expect(ranker.rank(query).items.kept == 200) }
        query.timeLeft = .seconds(10)
        let whole = ranker.rank(query).items
        #expect(whole.kept == 200 && whole.shortage == nil)
        query.timeLeft = .milliseconds(61)
        let pressed = ranker.rank(query).items
        #expect(pressed.kept == 54 && pressed.preRanked == 300)
        #expect(pressed.shortage == "ranked 54 of 200: 61.0 ms were left")
        query.timeLeft = .milliseconds(5)
        let least = ranker.rank(query).items
        #expect(least.kept == 20 && least.shortage == "ranked 20 of 200: 5.0 ms were left")
        query.timeLeft = .zero
        #expect(ranker.rank(query).items.kept == 20)
        query.timeLeft = nil
        #expect(ranker.rank(query).items.kept == 200)
    }

    /// The stage takes 10 ms whatever it ranks, and 0.1 ms for each: with 24 ms it settles at 140.
    @Test func whatARequestCostsAnywayIsReckonedWith() throws {
        let clock = TestClock()
        struct Fixed: RankingStage {
            let heads = ["click"]
            let finishRates: [String: FinishRate] = [:]
            let clock: TestClock

            func predict(
                _ state: UserState, _ scene: Scene, _ candidates: [RankingCandidate],
                into predictions: UnsafeMutableBufferPointer<Float>
            ) {
                predictions.update(repeating: 0.5)
                clock.advance(.milliseconds(10) + .microseconds(100) * candidates.count)
            }
        }
        let ranker = try Ranker(
            world.preRanker, stage: Fixed(clock: clock), fusion: FusionSpecification(.sum, [FusionTerm(head: "click")]),
            clock: { clock.now })
        var query = query(0..<300)
        (query.cut, query.least, query.timeLeft) = (PreRankCut(keep: 0), 10, .microseconds(26_667))
        let kept = (0..<300).map { _ in ranker.rank(query).items.kept }
        #expect(kept[0] == 300)
        #expect(abs((kept.last ?? 0) - 140) <= 2)
    }

    /// The clock goes on by 15 ms from one look to the next.
    @Test func withoutTimeForAllTheFirstArePreRanked() throws {
        let clock = TestClock()
        let ranker = try Ranker(
            world.preRanker,
            clock: {
                clock.advance(.milliseconds(15))
                return clock.now
            })
        var query = query(0..<300)
        query.least = 40
        for _ in 0..<100 { _ = ranker.rank(query) }
        // 300 candidates took 15 ms: 0.05 ms each; 9 ms are enough for 180.
        query.timeLeft = .milliseconds(10)
        let pressed = ranker.rank(query).items
        #expect(abs(pressed.preRanked - 180) <= 1 && pressed.unknownItems == 0)
        #expect(Set(pressed.items).isSubset(of: query.items.prefix(181)))
        #expect(pressed.shortage?.hasPrefix("pre-ranked \(pressed.preRanked) of 300 candidates") == true)
        query.timeLeft = .zero
        #expect(ranker.rank(query).items.preRanked == 40)
    }
}
