public import Kernels
public import Models

/// How often a click counts, by the clicks of its item: those on popular items less, those on the tail more.
public struct PositiveSampling: Sendable {
    private let specification: PositiveSpecification

    public init(_ specification: PositiveSpecification) {
        self.specification = specification
    }

    /// Whether every click counts once.
    public var isPlain: Bool { specification.popularShare == 0 && specification.tailClicks == 0 }

    /// How often a click on an item counts on average.
    ///
    /// - Parameters:
    ///   - clicks: of the item, at least 1.
    ///   - total: of all items.
    public func copies(clicks: Int, of total: Int) -> Double {
        let share = Double(clicks) / Double(max(total, 1))
        if specification.popularShare > 0, share > specification.popularShare {
            return (specification.popularShare / share).squareRoot()
        }
        guard clicks < specification.tailClicks else { return 1 }
        return min(Double(specification.tailClicks) / Double(max(clicks, 1)), specification.tailCopies)
    }

    /// Draws how often this click counts now: the whole part of `copies`, and once more with the rest's probability.
    public func draw(_ copies: Double, using generator: inout SeededGenerator) -> Int {
        Int(copies + generator.uniformDouble())
    }
}
