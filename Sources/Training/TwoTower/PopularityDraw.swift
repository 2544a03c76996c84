import Foundation
public import Kernels

/// Draws items in proportion to clicks^power.
public struct PopularityDraw: Sendable {
    /// `[N]`, running sums.
    private let sums: [Double]
    /// `[N]`, log of each item's share.
    public let logShares: [Float]

    /// - Parameter clicks: `[N]`, at least one of them above 0 when the power is.
    public init(clicks: [Int], power: Double) {
        var sum = 0.0
        var sums: [Double] = []
        sums.reserveCapacity(clicks.count)
        for count in clicks {
            sum += pow(Double(count), power)
            sums.append(sum)
        }
        self.sums = sums
        logShares = clicks.map { Float(log(pow(Double($0), power) / sum)) }
    }

    /// - Complexity: O(log N).
    public func draw(using generator: inout SeededGenerator) -> UInt32 {
        let target = generator.uniformDouble() * (sums.last ?? 0)
        return UInt32((0..<max(0, sums.count - 1)).partitioningIndex { sums[$0] > target })
    }
}
