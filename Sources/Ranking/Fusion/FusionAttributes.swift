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

    /// - Parameter items: `[n]`.
    mutating func fill(for formula: FusionFormula, items: some Sequence<ItemFeatures>) {
        durations.removeAll(keepingCapacity: true)
        qualities.removeAll(keepingCapacity: true)
        prices.removeAll(keepingCapacity: true)
        if formula.reads(.duration) { for item in items { durations.append(expm1(item.logDuration)) } }
        if formula.reads(.quality) { for item in items { qualities.append(item.quality) } }
        if formula.reads(.price) { for item in items { prices.append(item.price) } }
    }
}
