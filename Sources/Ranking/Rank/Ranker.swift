import Catalog
import Features
import Kernels
public import Models
import Synchronization

/// Pre-ranks a request's candidates, makes the cut, ranks what came through, and fuses the predictions.
///
/// Deterministic but for the number of candidates under pressure of time; any number of requests may run at once.
// Sendable: models are immutable, scratches are borrowed by one request at a time.
public final class Ranker: @unchecked Sendable {
    private let preRanker: PreRanker
    private let stage: (any RankingStage)?
    private let fusion: FusionFormula?
    /// What of the configuration it has no use for; nil when there is nothing.
    public let remark: String?
    private let clock: @Sendable () -> Duration
    private let lock = Mutex<Void>(())
    private var idle: [RankScratch] = []
    private let costs = Mutex(Costs())

    private struct Costs {
        var preRank = StageCost()
        var rank = StageCost()
    }

    /// Scratches kept when idle; more than the threads that serve would only hold memory.
    private static let idleMax = 16
    /// Of the time that is left, what the stages may take; the rest is the answer's way back.
    private static let share = 0.9

    /// - Parameters:
    ///   - stage: The ranking model; nil when the snapshot has none: the order is the pre-ranker's.
    ///   - fusion: What the stage's predictions become; nil for the standard formula, as far as the stage has its heads.
    ///   - clock: Time since some moment.
    /// - Throws: `ModelError.invalid` when the formula names a head that the stage does not have.
    public init(
        _ preRanker: PreRanker, stage: (any RankingStage)? = nil, fusion: FusionSpecification? = nil,
        clock: (@Sendable () -> Duration)? = nil
    ) throws(ModelError) {
        self.preRanker = preRanker
        self.stage = stage
        if let stage {
            self.fusion = try FusionFormula(
                fusion ?? .standard(for: stage.heads), heads: stage.heads, of: "the snapshot's ranking model",
                finishRates: stage.finishRates)
            remark = nil
        } else {
            self.fusion = nil
            remark = fusion.map { _ in
                "funnel.fusion is not used: the snapshot has no ranking model, the order is the pre-ranker's"
            }
        }
        let start = ContinuousClock.now
        self.clock = clock ?? { ContinuousClock.now - start }
    }

    /// How often the ranking model's features had values; empty without a model.
    public var features: [FeatureStanding] { stage?.features ?? [] }

    /// Whoever is to be told of what happens to items.
    var listeners: [any StatisticsListener] {
        [preRanker.signals] + (stage?.statistics.map { [$0] } ?? [])
    }

    /// - Complexity: O(candidates (cross tower + head) + kept * net); nothing is allocated per candidate but the answer.
    public func rank(_ query: RankingQuery) -> (items: RankedItems, times: RankingTimes) {
        let scratch = lock.withLock { _ in idle.popLast() } ?? RankScratch(PreRankScratch(preRanker.net.head))
        defer {
            lock.withLock { _ in if idle.count < Self.idleMax { idle.append(scratch) } }
        }
        let query = query.told(by: preRanker.clock)
        var times = RankingTimes()
        let start = clock()
        let afforded = preRank(query, scratch)
        let cut = clock()
        times.preRank = cut - start
        let keep = makeCut(query, scratch, elapsed: times.preRank)
        if let stage, let fusion { rank(query, scratch, stage, fusion) }
        times.rank = clock() - cut
        costs.withLock { costs in
            costs.preRank.record(times.preRank, candidates: afforded)
            if stage != nil { costs.rank.record(times.rank, candidates: scratch.cut.kept.count) }
        }
        var result = answer(query, scratch)
        result.unknownItems = afforded - result.preRanked
        result.shortage = shortage(query, scored: afforded, kept: result.kept, of: keep)
        return (result, times)
    }

    /// Seconds that the stages may still take; nil for any time.
    private func secondsLeft(_ query: RankingQuery, elapsed: Duration = .zero) -> Double? {
        query.timeLeft.map { Self.share * ($0 / .seconds(1)) - elapsed / .seconds(1) }
    }

    /// Scores as many candidates as there is time for, beside ranking the least that must be ranked.
    ///
    /// - Returns: how many.
    private func preRank(_ query: RankingQuery, _ scratch: RankScratch) -> Int {
        var count = query.items.count
        if let seconds = secondsLeft(query) {
            let affordable = costs.withLock {
                $0.preRank.affordable(in: seconds - $0.rank.estimate(min(query.least, count)))
            }
            count = min(count, max(affordable, query.least, 1))
        }
        preRanker.run(
            query.state, query.scene, items: query.items[shared: 0..<count], live: query.live, in: scratch.preRank)
        scratch.take(found: query.found)
        return count
    }

    /// - Returns: how many would have come through with more time.
    private func makeCut(_ query: RankingQuery, _ scratch: RankScratch, elapsed: Duration) -> Int {
        let count = scratch.preRank.count
        var cut = query.cut
        let wanted = cut.keep > 0 ? min(cut.keep, count) : count
        if stage != nil, let seconds = secondsLeft(query, elapsed: elapsed) {
            let affordable = costs.withLock { $0.rank.affordable(in: seconds) }
            cut.keep = min(wanted, max(affordable, query.least, 1))
        }
        scratch.cut.make(
            cut, order: scratch.preRank.order.places, found: scratch.found, categories: scratch.preRank.categories)
        return wanted
    }

    private func rank(
        _ query: RankingQuery, _ scratch: RankScratch, _ stage: any RankingStage, _ fusion: FusionFormula
    ) {
        scratch.gather(heads: stage.heads.count)
        guard !scratch.ranked.isEmpty else { return }
        scratch.predictions.withUnsafeMutableBufferPointer { predictions in
            stage.predict(query.state, query.scene, scratch.candidates, into: predictions)
        }
        scratch.attributes.fill(for: fusion, items: scratch.candidates.lazy.map(\.features))
        scratch.predictions.withUnsafeBufferPointer { predictions in
            fusion.score(
                FusionCandidates(
                    keys: scratch.keys, predictions: predictions, durations: scratch.attributes.durations,
                    qualities: scratch.attributes.qualities, prices: scratch.attributes.prices), in: scratch.fusion)
        }
        scratch.sort()
    }

    private func answer(_ query: RankingQuery, _ scratch: RankScratch) -> RankedItems {
        let outcome: RankingOutcome
        if let stage, let fusion {
            outcome = RankingOutcome(ranked: scratch, heads: stage.heads, formula: fusion)
        } else {
            outcome = RankingOutcome(preRanked: scratch, formula: preRanker.fusion)
        }
        var result = outcome.items(query)
        result.isRanked = stage != nil
        result.towers = scratch.preRank.towers
        result.preRanked = scratch.preRank.count
        result.kept = scratch.cut.kept.count
        result.keptByChannel = Array(scratch.cut.keptByChannel.prefix(query.channelCount))
        return result
    }

    private func shortage(_ query: RankingQuery, scored: Int, kept: Int, of wanted: Int) -> String? {
        var parts: [String] = []
        if scored < query.items.count { parts.append("pre-ranked \(scored) of \(query.items.count) candidates") }
        if kept < wanted { parts.append("ranked \(kept) of \(wanted)") }
        guard !parts.isEmpty, let left = query.timeLeft else { return nil }
        let milliseconds = (left / .milliseconds(1) * 10).rounded() / 10
        return parts.joined(separator: ", ") + ": \(milliseconds) ms were left"
    }
}
