import Foundation
package import Kernels

/// Draws ranks 0..<count with probability proportional to 1 / (rank + 1)^exponent: few users make most requests.
package struct ZipfLaw: Sendable {
    /// Ascending; the last is 1.
    private let cumulative: [Double]

    /// - Parameters:
    ///   - count: ranks, at least 1.
    ///   - exponent: 0 draws all alike.
    /// - Complexity: O(count).
    package init(count: Int, exponent: Double) {
        precondition(count > 0, "a law needs something to draw")
        var sum = 0.0
        let running = (0..<count).map { rank in
            sum += pow(Double(rank + 1), -exponent)
            return sum
        }
        cumulative = running.map { $0 / sum }
    }

    /// - Complexity: O(log count).
    package func draw(_ generator: inout SeededGenerator) -> Int {
        let target = generator.uniformDouble()
        var low = 0
        var high = cumulative.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > target { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
