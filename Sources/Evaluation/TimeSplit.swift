public import Catalog
import Kernels

/// Divides a log in two at a moment: what came before trains, what came after tests.
public struct TimeSplit: Hashable, Sendable {
    public var training: Range<Int>
    public var held: Range<Int>

    /// Holds back about the last `fraction` of the rows; showings of one millisecond are never divided.
    ///
    /// - Parameter fraction: 0 (nothing held back) ..< 1.
    /// - Complexity: O(log n) plus the rows of the boundary's millisecond.
    public init(exposures: ExposureTable, fraction: Double) {
        precondition((0..<1).contains(fraction), "a fraction below 1")
        var boundary = exposures.count - Int(Double(exposures.count) * fraction)
        while boundary > 0, boundary < exposures.count, exposures.times[boundary] == exposures.times[boundary - 1] {
            boundary -= 1
        }
        training = 0..<boundary
        held = boundary..<exposures.count
    }
}
