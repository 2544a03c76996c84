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
    /// - Parameter fraction: 0 (nothing held back) ..< 1.
    /// - Complexity: O(n).
    public init(exposures: ExposureTable, fraction: Double) {
        precondition((0..<1).contains(fraction), "a fraction below 1")
        let trials = exposures.users.indices.count { exposures.isTrial($0) }
        var wanted = Int(Double(trials) * fraction)
        var boundary = exposures.count
        while boundary > 0, wanted > 0 {
            boundary -= 1
            if exposures.isTrial(boundary) { wanted -= 1 }
        }
        while boundary > 0, boundary < exposures.count, exposures.times[boundary] == exposures.times[boundary - 1] {
            boundary -= 1
        }
        training = 0..<boundary
        held = boundary..<exposures.count
    }

    /// Holds back the showings at or after a time, milliseconds since 1970.
    ///
    /// - Complexity: O(log n).
    public init(exposures: ExposureTable, at milliseconds: Int64) {
        var (low, high) = (0, exposures.count)
        while low < high {
            let middle = (low + high) / 2
            if exposures.times[middle] < milliseconds { low = middle + 1 } else { high = middle }
        }
        training = 0..<low
        held = low..<exposures.count
    }
}
