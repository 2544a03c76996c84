import Foundation
import Kernels
public import Models

/// A fusion formula, made ready for the heads of one model.
///
/// It is evaluated term by term over all candidates: nothing is allocated but in the scratch, which is kept.
public struct FusionFormula: Sendable {
    public let specification: FusionSpecification
    /// The terms as they are called in explanations; `click` is the first of `click_times`.
    public let termNames: [String]
    private let terms: [Term]
    private let heads: Int

    fileprivate struct Term {
        enum Input {
            /// A column of the predictions.
            case head(Int)
            case adjustedHead(Int, FinishRate)
            case duration
            case quality
            case price
        }

        enum Operation {
            /// `weight x`.
            case product
            /// `(offset + weight x)^power`.
            case power
            /// `weight / (r^power + offset)`.
            case rank
        }

        var input: Input
        var operation: Operation
        var weight: Float
        var power: Float
        var offset: Float
    }

    /// - Parameters:
    ///   - heads: what the model predicts, the columns of the predictions.
    ///   - model: what the model is called, for messages.
    ///   - finishRates: by head, how often items of a length are finished.
    /// - Throws: `ModelError.invalid` when the formula reads what the model does not have, or cannot be meant.
    public init(
        _ specification: FusionSpecification, heads: [String], of model: String,
        finishRates: [String: FinishRate] = [:]
    ) throws(ModelError) {
        try specification.validate("fusion", heads: heads, of: model, adjustable: Set(finishRates.keys))
        self.specification = specification
        self.heads = heads.count
        let isClickTimes = specification.formula == .clickTimes
        let all = (isClickTimes ? [FusionTerm(head: "click")] : []) + specification.terms
        termNames = all.map(\.name)
        terms = all.map { Term($0, specification.formula, heads: heads, finishRates: finishRates) }
    }

    /// Whether the item's attribute is read; one that is not may be left out of the candidates.
    public func reads(_ attribute: FusionTerm.Attribute) -> Bool {
        specification.terms.contains { $0.attribute == attribute || (attribute == .duration && $0.lengthAdjusted) }
    }

    /// Scores all candidates.
    ///
    /// - Parameter scratch: gets the scores, finite, and each candidate's terms.
    /// - Complexity: O(n terms), and O(n log n) for each term by rank.
    public func score(_ candidates: FusionCandidates, in scratch: FusionScratch) {
        let count = candidates.keys.count
        precondition(candidates.predictions.count == count * heads, "a prediction of each head per candidate")
        scratch.reset(count: count, terms: terms.count)
        for (index, term) in terms.enumerated() {
            let values = scratch.values(of: index)
            fill(values, term.input, candidates)
            let contributions = scratch.contributions(of: index)
            contribute(term, values, contributions, candidates, scratch)
        }
        let scores = scratch.scoreBuffer
        combine(scratch, into: scores)
        for place in scores.indices { scores[place] = Self.finite(scores[place]) }
    }

    private func fill(
        _ values: UnsafeMutableBufferPointer<Float>, _ input: Term.Input, _ candidates: FusionCandidates
    ) {
        switch input {
        case .head(let column):
            for place in values.indices {
                values[place] = Self.prediction(candidates.predictions[place * heads + column])
            }
        case .adjustedHead(let column, let rate):
            for place in values.indices {
                let prediction = Self.prediction(candidates.predictions[place * heads + column])
                values[place] = rate.adjusted(prediction, seconds: candidates.durations[place])
            }
        case .duration:
            for place in values.indices {
                let seconds = candidates.durations[place]
                values[place] = seconds > 0 ? seconds : .nan
            }
        case .quality:
            for place in values.indices { values[place] = candidates.qualities[place] }
        case .price:
            for place in values.indices { values[place] = candidates.prices[place] }
        }
    }

    /// Writes what each candidate's term comes to, and 0 for values that are not known.
    private func contribute(
        _ term: Term, _ values: UnsafeMutableBufferPointer<Float>,
        _ contributions: UnsafeMutableBufferPointer<Float>, _ candidates: FusionCandidates, _ scratch: FusionScratch
    ) {
        switch term.operation {
        case .product:
            for place in values.indices { contributions[place] = term.weight * values[place] }
        case .power:
            for place in values.indices {
                contributions[place] = Self.power(term.offset + term.weight * values[place], term.power)
            }
        case .rank:
            scratch.rank(values, keys: candidates.keys) { place, rank in
                contributions[place] = term.weight / (Self.power(rank, term.power) + term.offset)
            }
        }
        let neutral: Float = if case .power = term.operation { 1 } else { 0 }
        for place in values.indices where values[place].isNaN {
            (values[place], contributions[place]) = (0, neutral)
        }
    }

    private func combine(_ scratch: FusionScratch, into scores: UnsafeMutableBufferPointer<Float>) {
        let isProduct = specification.formula == .powers || specification.formula == .commerce
        let summands = specification.formula == .clickTimes ? terms.indices.dropFirst() : terms.indices[...]
        let start: Float = isProduct || specification.formula == .clickTimes ? 1 : 0
        for place in scores.indices { scores[place] = start }
        for index in summands {
            let contributions = scratch.contributions(of: index)
            if isProduct {
                for place in scores.indices { scores[place] *= contributions[place] }
            } else {
                for place in scores.indices { scores[place] += contributions[place] }
            }
        }
        guard specification.formula == .clickTimes else { return }
        let click = scratch.contributions(of: 0)
        for place in scores.indices { scores[place] *= click[place] }
    }

    /// What a head predicted, 0 for what is no number; seconds beyond a century are none.
    @inline(__always)
    private static func prediction(_ value: Float) -> Float { value > 0 ? min(value, valueMax) : 0 }

    private static let valueMax: Float = 4e9
    /// What stands for 0 under a power below 0.
    private static let least: Float = 1e-6

    @inline(__always)
    private static func power(_ base: Float, _ power: Float) -> Float {
        if power == 1 { return base }
        return pow(power < 0 ? max(base, least) : base, power)
    }

    private static func finite(_ score: Float) -> Float {
        score.isNaN ? 0 : min(max(score, -Float.greatestFiniteMagnitude), Float.greatestFiniteMagnitude)
    }
}

extension FusionFormula.Term {
    fileprivate init(
        _ term: FusionTerm, _ formula: FusionSpecification.Formula, heads: [String], finishRates: [String: FinishRate]
    ) {
        let column = term.head.flatMap { heads.firstIndex(of: $0) }
        switch (column, term.attribute) {
        case (let column?, _):
            let rate = term.lengthAdjusted ? term.head.flatMap { finishRates[$0] } : nil
            input = rate.map { .adjustedHead(column, $0) } ?? .head(column)
        case (nil, .duration): input = .duration
        case (nil, .quality): input = .quality
        case (nil, .price): input = .price
        case (nil, nil): preconditionFailure("a formula that was checked has its heads")
        }
        switch formula {
        case .sum, .clickTimes: operation = .product
        case .powers, .commerce: operation = .power
        case .ranks: operation = .rank
        }
        weight = term.weight ?? 1
        power = term.power ?? 1
        offset = term.offset ?? (formula == .powers ? 1 : 0)
    }
}
