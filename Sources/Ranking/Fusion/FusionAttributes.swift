import Features
import Foundation
import Kernels
import Models

/// The items' attributes that a formula reads, of one request's candidates; keeps its memory.
struct FusionAttributes {
    /// `[n]`, seconds; 0 is unknown. Empty when it is not read.
    private(set) var durations: [Float] = []
    /// `[n]`; NaN is unknown. Empty when it is not read.
    private(set) var qualities: [Float] = []
    /// `[n]`; NaN is unknown. Empty when it is not read.
    private(set) var prices: [Float] = []

    /// - Parameters:
    ///   - rows: catalogue rows of the first candidates.
    ///   - live: those after them, which the catalogue does not have.
    mutating func fill(
        for formula: FusionFormula, rows: [UInt32], live: [LiveItemTowers.Entry], columns: ItemFeatureColumns
    ) {
        durations.removeAll(keepingCapacity: true)
        qualities.removeAll(keepingCapacity: true)
        prices.removeAll(keepingCapacity: true)
        if formula.reads(.duration) {
            for row in rows { durations.append(expm1(columns.logDurations[Int(row)])) }
            for entry in live { durations.append(expm1(entry.features.logDuration)) }
        }
        if formula.reads(.quality) {
            for row in rows { qualities.append(columns.qualities[Int(row)]) }
            for entry in live { qualities.append(entry.features.quality) }
        }
        if formula.reads(.price) {
            for row in rows { prices.append(columns.prices[Int(row)]) }
            for entry in live { prices.append(entry.features.price) }
        }
    }
}
