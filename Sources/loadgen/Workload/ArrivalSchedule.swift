import Foundation
import Kernels

/// When the requests of an open-loop run are meant to start, whatever the cluster does.
package struct ArrivalSchedule: Sendable {
    package enum Law: String, Sendable, CaseIterable {
        /// One request every 1/rate seconds.
        case constant
        /// Independent arrivals: gaps are exponentially distributed with mean 1/rate.
        case poisson
    }

    private let law: Law
    private let rate: Double
    private var generator: SeededGenerator
    private var index = 0.0
    private var last = 0.0

    /// - Parameter rate: requests per second, positive.
    package init(law: Law, rate: Double, seed: UInt64) {
        precondition(rate > 0, "a schedule needs a positive rate")
        self.law = law
        self.rate = rate
        generator = SeededGenerator(seed: seed, stream: 1)
    }

    /// Start of the next request, in seconds since the start of the run; never decreases.
    package mutating func next() -> Double {
        switch law {
        case .constant:
            defer { index += 1 }
            return index / rate
        case .poisson:
            // 1 - u lies in (0, 1], so the logarithm is finite.
            last += -log(1 - generator.uniformDouble()) / rate
            return last
        }
    }
}
