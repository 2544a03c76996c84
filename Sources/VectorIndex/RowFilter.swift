import Kernels

/// Which vectors of one index a search may return: a bit for each.
///
/// Made once for many searches where it can be (a category, a place), or for one. A search does not lose recall by it: it goes on
/// until it has looked as deep as the share of allowed vectors asks for, and scores the allowed ones one and all where they are few.
public struct RowFilter: Sendable {
    /// `[n / 64 + 2]`, bit r for row r of the index; the kernels read past the last row's word.
    let bits: SharedBuffer<UInt64>
    let rows: Int
    /// Vectors allowed.
    public let count: Int

    /// - Complexity: O(n).
    init(rows: Int, where isAllowed: (Int) -> Bool) {
        var bits = [UInt64](repeating: 0, count: rows / 64 + 2)
        var count = 0
        for row in 0..<rows where isAllowed(row) {
            bits[row / 64] |= 1 << UInt64(row % 64)
            count += 1
        }
        self.bits = SharedBuffer(bits)
        self.rows = rows
        self.count = count
    }

    func contains(_ row: Int) -> Bool {
        bits[row / 64] >> UInt64(row % 64) & 1 == 1
    }

    /// How many of `range` are allowed.
    ///
    /// - Complexity: O(range / 64).
    func count(in range: Range<Int>) -> Int {
        if range.isEmpty { return 0 }
        let (first, last) = (range.lowerBound / 64, (range.upperBound - 1) / 64)
        var count = 0
        for word in first...last {
            var bits = bits[word]
            if word == first { bits &= ~0 << UInt64(range.lowerBound % 64) }
            if word == last { bits &= ~0 >> UInt64(63 - (range.upperBound - 1) % 64) }
            count += bits.nonzeroBitCount
        }
        return count
    }

    /// Writes the rows allowed, ascending, into `positions` `[count]`.
    func list(into positions: UnsafeMutablePointer<UInt32>) {
        var place = 0
        for (word, value) in bits.enumerated() {
            var left = value
            while left != 0 {
                positions[place] = UInt32(word * 64 + left.trailingZeroBitCount)
                left &= left - 1
                place += 1
            }
        }
    }
}

extension VectorIndex {
    /// The vectors whose key is allowed: a list, a deny list, or any predicate.
    ///
    /// - Complexity: O(n) calls.
    public func filter(where isAllowed: (UInt64) -> Bool) -> RowFilter {
        RowFilter(rows: count) { isAllowed(keys[$0]) }
    }
}

/// What vectors of one index are filtered by, in the index's order.
public struct RowAttributes: Sendable {
    /// `[n]`.
    let categories: SharedBuffer<UInt32>
    /// `[n]`, milliseconds since 1970.
    let times: SharedBuffer<Int64>

    public init(_ index: VectorIndex, category: (UInt64) -> UInt32, time: (UInt64) -> Int64) {
        categories = SharedBuffer(index.keys.map(category))
        times = SharedBuffer(index.keys.map(time))
    }

    /// Vectors of one of the categories (nil: of any), no older than `since` (nil: of any age).
    ///
    /// - Complexity: O(n).
    public func filter(categories wanted: Set<UInt32>? = nil, since: Int64? = nil) -> RowFilter {
        RowFilter(rows: categories.count) { row in
            times[row] >= since ?? .min && wanted?.contains(categories[row]) ?? true
        }
    }
}
