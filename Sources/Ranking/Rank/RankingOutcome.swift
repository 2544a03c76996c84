import Catalog
import Models

/// What became of a request's candidates, ready to be put into an answer.
struct RankingOutcome {
    private let scratch: RankScratch
    private let heads: [String]
    private let formula: FusionFormula
    private let fusion: FusionScratch
    /// Places in `fusion` and `predictions`, best first.
    private let order: [UInt32]
    private let predictions: [Float]
    /// Of the places, those among the pre-ranked; nil when they are the same.
    private let origins: [UInt32]?

    /// Of the ranking model, for what came through the cut.
    init(ranked scratch: RankScratch, heads: [String], formula: FusionFormula) {
        self.scratch = scratch
        self.heads = heads
        self.formula = formula
        fusion = scratch.fusion
        order = scratch.ranked.isEmpty ? [] : scratch.order.places
        predictions = scratch.predictions
        origins = scratch.ranked
    }

    /// Of the pre-ranker, for what came through the cut.
    init(preRanked scratch: RankScratch, formula: FusionFormula) {
        self.scratch = scratch
        heads = ThreeTowerSpecification.heads
        self.formula = formula
        fusion = scratch.preRank.fusion
        order = scratch.cut.kept
        predictions = scratch.preRank.predictions
        origins = nil
    }

    /// The best of them, as many as are wanted.
    func items(_ query: RankingQuery) -> RankedItems {
        let chosen = order.prefix(query.limit > 0 ? query.limit : order.count)
        var result = RankedItems()
        result.heads = heads
        result.scores = chosen.map { fusion.scores[Int($0)] }
        result.predictions.reserveCapacity(chosen.count * heads.count)
        for place in chosen {
            result.predictions.append(
                contentsOf: predictions[Int(place) * heads.count..<(Int(place) + 1) * heads.count])
        }
        let origins = chosen.map { origin(of: $0) }
        result.items = origins.map { scratch.preRank.keys[$0] }
        result.preRankScores = origins.map { scratch.preRank.fusion.scores[$0] }
        result.preRankPositions = positions(of: origins)
        if query.explains { explain(chosen, in: &result) }
        return result
    }

    private func origin(of place: UInt32) -> Int { Int(origins.map { $0[Int(place)] } ?? place) }

    /// Positions in the pre-ranker's order, from 1.
    private func positions(of origins: [Int]) -> [UInt32] {
        var positions = [UInt32](repeating: 0, count: scratch.preRank.count)
        for (position, place) in scratch.preRank.order.places.enumerated() {
            positions[Int(place)] = UInt32(position + 1)
        }
        return origins.map { positions[$0] }
    }

    private func explain(_ chosen: ArraySlice<UInt32>, in result: inout RankedItems) {
        result.terms = formula.termNames
        for place in chosen {
            for index in formula.termNames.indices {
                let term = fusion.term(index, of: Int(place))
                result.termValues.append(term.value)
                result.termContributions.append(term.contribution)
            }
        }
    }
}
