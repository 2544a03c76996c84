import Kernels

/// Exponential, logarithm and what follows from them, of the four operations and square roots alone.
///
/// IEEE 754 fixes those to the last bit and the C library's functions not, so that a seed gives the same world on every
/// machine only through these. Errors stay below 4 units in the last place, which the tests hold against the C library.
package enum PortableMath {
    private static let ln2High = 6.93147180369123816490e-01
    private static let ln2Low = 1.90821492927058770002e-10

    /// e^x; arguments are held to -700...700, where nothing overflows.
    package static func exp(_ x: Double) -> Double {
        let x = min(max(x, -700), 700)
        let exponent = (x * 1.4426950408889634).rounded(.toNearestOrEven)
        let rest = (x - exponent * ln2High) - exponent * ln2Low
        var sum = 1.0
        for term in stride(from: 14.0, through: 1.0, by: -1.0) { sum = 1 + sum * rest / term }
        return sum * Double(sign: .plus, exponent: Int(exponent), significand: 1)
    }

    /// The natural logarithm of a positive normal number.
    package static func log(_ x: Double) -> Double {
        precondition(x >= .leastNormalMagnitude && x.isFinite, "the logarithm of a positive number")
        var exponent = x.exponent
        var significand = x.significand
        if significand > 1.4142135623730951 {
            significand /= 2
            exponent += 1
        }
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        var sum = 0.0
        for term in stride(from: 23.0, through: 3.0, by: -2.0) { sum = (sum + 1 / term) * square }
        let scale = Double(exponent)
        return scale * ln2High + (scale * ln2Low + 2 * ratio * (1 + sum))
    }

    /// 1 / (1 + e^-x).
    package static func logistic(_ x: Double) -> Double {
        1 / (1 + exp(-x))
    }
}

extension SeededGenerator {
    /// Uniform in 0..<count.
    mutating func index(below count: Int) -> Int {
        min(Int(uniformDouble() * Double(count)), count - 1)
    }

    mutating func chance(_ probability: Double) -> Bool {
        uniformDouble() < probability
    }

    /// Standard normal, by Marsaglia's polar method: no sine, no cosine.
    mutating func portableNormal() -> Double {
        while true {
            let x = 2 * uniformDouble() - 1
            let y = 2 * uniformDouble() - 1
            let square = x * x + y * y
            guard square < 1, square > 1e-300 else { continue }
            return x * (-2 * PortableMath.log(square) / square).squareRoot()
        }
    }

    mutating func normalVector(_ dimensions: Int) -> [Double] {
        (0..<dimensions).map { _ in portableNormal() }
    }
}

/// Draws rows in proportion to weights, from all rows or from the first few.
struct WeightedRows {
    /// Sums of the weights up to and including each row.
    private let sums: [Double]

    init(_ weights: some Sequence<Double>) {
        var sum = 0.0
        sums = weights.map { weight in
            sum += weight
            return sum
        }
    }

    /// - Parameter count: rows to draw from, at least 1.
    /// - Complexity: O(log count).
    func draw(among count: Int, using random: inout SeededGenerator) -> Int {
        let target = random.uniformDouble() * sums[count - 1]
        var low = 0
        var high = count - 1
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > target { high = middle } else { low = middle + 1 }
        }
        return low
    }

    func draw(using random: inout SeededGenerator) -> Int {
        draw(among: sums.count, using: &random)
    }
}
