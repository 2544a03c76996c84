public import Catalog
import Features
import Kernels

/// Divides a log in two at a moment: what came before trains, what came after tests.
public struct TimeSplit: Hashable, Sendable {
    public var training: Range<Int>
    public var held: Range<Int>

    /// Holds back about the last `fraction` of the rows that are trials, and whatever else was logged in that time;
    /// rows of one millisecond are never divided.
    ///
    /// - Parameters:
    ///   - rows: The part of the log that is divided; all of it when left out.
    ///   - fraction: 0 (nothing held back) ..< 1.
    /// - Complexity: O(n).
    public init(exposures: ExposureTable, rows: Range<Int>? = nil, fraction: Double) {
        precondition((0..<1).contains(fraction), "a fraction below 1")
        let (first, end) = (rows?.lowerBound ?? 0, rows?.upperBound ?? exposures.count)
        let trials = (first..<end).count { exposures.isTrial($0) }
        var wanted = Int(Double(trials) * fraction)
        var boundary = end
        while boundary > first, wanted > 0 {
            boundary -= 1
            if exposures.isTrial(boundary) { wanted -= 1 }
        }
        while boundary > first, boundary < end, exposures.times[boundary] == exposures.times[boundary - 1] {
            boundary -= 1
        }
        training = first..<boundary
        held = boundary..<end
    }

    /// Holds back the showings at or after a time, milliseconds since 1970.
    ///
    /// - Complexity: O(log n).
    public init(exposures: ExposureTable, at milliseconds: Int64) {
        let first = exposures.firstRow(notBefore: milliseconds)
        training = 0..<first
        held = first..<exposures.count
    }
}
