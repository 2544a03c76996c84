/// A score and a position in one integer, so that candidates are compared, selected and sorted in one instruction each:
/// the greater integer has the greater score, of equal scores the lower position.
@frozen
public struct Ranked: Sendable, Hashable {
    @usableFromInline var key: UInt64

    /// - Parameter score: no NaN.
    @inlinable
    public init(score: Float, position: UInt32) {
        let bits = score.bitPattern
        let ordered = bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
        key = UInt64(ordered) << 32 | UInt64(~position)
    }

    @inlinable
    public var position: UInt32 { ~UInt32(truncatingIfNeeded: key) }

    @inlinable
    public var score: Float {
        let ordered = UInt32(truncatingIfNeeded: key >> 32)
        return Float(bitPattern: ordered >> 31 == 1 ? ordered & 0x7FFF_FFFF : ~ordered)
    }
}

extension Ranked {
    /// Moves the k best to the front, in no order, the k-th best to place k - 1 (Hoare's selection, median of three).
    ///
    /// - Precondition: 0 < k <= count.
    /// - Complexity: O(count) on average.
    public static func selectBest(_ values: UnsafeMutablePointer<Ranked>, count: Int, _ k: Int) {
        var (low, high) = (0, count - 1)
        while low < high {
            let (left, right) = partition(values, low, high)
            if k - 1 <= right {
                high = right
            } else if k - 1 >= left {
                low = left
            } else {
                return
            }
        }
    }

    /// Sorts best first.
    ///
    /// - Complexity: O(count log count) on average, no allocation.
    public static func sort(_ values: UnsafeMutablePointer<Ranked>, count: Int) {
        sort(values, 0, count - 1)
    }

    /// Below this an insertion sort is quicker.
    private static let few = 20

    private static func sort(_ values: UnsafeMutablePointer<Ranked>, _ first: Int, _ last: Int) {
        var (low, high) = (first, last)
        while high - low >= few {
            let (left, right) = partition(values, low, high)
            // The smaller side by recursion: the stack stays logarithmic.
            if right - low < high - left {
                sort(values, low, right)
                low = left
            } else {
                sort(values, left, high)
                high = right
            }
        }
        guard low < high else { return }
        for place in low + 1...high {
            let value = values[place]
            var hole = place
            while hole > low, values[hole - 1].key < value.key {
                values[hole] = values[hole - 1]
                hole -= 1
            }
            values[hole] = value
        }
    }

    /// Everything up to `right` is no worse than everything from `left` on; right < left.
    @inline(__always)
    private static func partition(
        _ values: UnsafeMutablePointer<Ranked>, _ low: Int, _ high: Int
    ) -> (left: Int, right: Int) {
        let (a, b, c) = (values[low].key, values[(low + high) / 2].key, values[high].key)
        let pivot = max(min(a, b), min(max(a, b), c))
        var (left, right) = (low, high)
        while left <= right {
            while values[left].key > pivot { left += 1 }
            while values[right].key < pivot { right -= 1 }
            if left <= right {
                let value = values[left]
                values[left] = values[right]
                values[right] = value
                left += 1
                right -= 1
            }
        }
        return (left, right)
    }
}
