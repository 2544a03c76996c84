public import Kernels

/// Which layers of a model may be served in bytes.
///
/// Made when a model is exported, with held-out rows; the choice travels with the model.
public struct PrecisionChoice: Codable, Hashable, Sendable {
    /// By name of the layer.
    public private(set) var precisions: [String: Precision]
    /// What is lost by the choice, in units of the measure.
    public private(set) var loss: Double
    /// What each layer in bytes loses when all others are float32, by name; empty when it was not needed.
    public private(set) var lossAlone: [String: Double]

    /// More may be lost by no model: AUC on held-out rows.
    public static let aucLossMax = 0.001

    /// Puts as many layers in bytes as the loss allows: all of them if that does, or else layer by layer from the one that
    /// loses least, as long as what is lost by all that were taken stays within the limit.
    ///
    /// - Parameters:
    ///   - layers: Names, each once.
    ///   - limit: The greatest loss; a choice of no bytes is always allowed.
    ///   - measure: The quality of the model on held-out rows with these precisions, higher is better: AUC.
    /// - Complexity: 2 measures if all layers may be bytes, else at most 2 (layers + 1).
    public static func choose(
        layers: [String], limit: Double = aucLossMax, measure: ([String: Precision]) throws -> Double
    ) rethrows -> PrecisionChoice {
        precondition(Set(layers).count == layers.count, "a layer is named twice")
        let plain = Dictionary(uniqueKeysWithValues: layers.map { ($0, Precision.float32) })
        let best = try measure(plain)
        let all = plain.mapValues { _ in Precision.int8 }
        let loss = layers.isEmpty ? 0 : best - (try measure(all))
        // Not `<=` turned round: a measure that is no number allows nothing.
        if loss <= limit { return PrecisionChoice(precisions: all, loss: loss, lossAlone: [:]) }
        var alone: [String: Double] = [:]
        for layer in layers {
            var one = plain
            one[layer] = .int8
            let lost = best - (try measure(one))
            alone[layer] = lost.isNaN ? .infinity : lost
        }
        return try add(layers, alone, to: PrecisionChoice(precisions: plain, loss: 0, lossAlone: alone), limit) {
            best - (try measure($0))
        }
    }

    private static func add(
        _ layers: [String], _ alone: [String: Double], to start: PrecisionChoice, _ limit: Double,
        loss: ([String: Precision]) throws -> Double
    ) rethrows -> PrecisionChoice {
        var choice = start
        let order = layers.enumerated().sorted {
            (alone[$0.element] ?? 0, $0.offset) < (alone[$1.element] ?? 0, $1.offset)
        }
        for (_, layer) in order where (alone[layer] ?? .infinity) <= limit {
            var wider = choice.precisions
            wider[layer] = .int8
            let lost = try loss(wider)
            if lost <= limit { choice = PrecisionChoice(precisions: wider, loss: lost, lossAlone: alone) }
        }
        return choice
    }
}
