extension Range<Int> {
    /// The first index of the range for which `isBeyond` holds, its upper bound when there is none; `isBeyond` must not cease
    /// to hold once it does.
    ///
    /// - Complexity: O(log n) calls.
    @inlinable
    public func partitioningIndex(where isBeyond: (Int) -> Bool) -> Int {
        var (low, high) = (lowerBound, upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if isBeyond(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension RandomAccessCollection where Element: Comparable, Index == Int {
    /// Where an element is in an ascending collection; nil when it is not there.
    ///
    /// - Complexity: O(log n).
    @inlinable
    public func ascendingIndex(of element: Element) -> Int? {
        let index = (startIndex..<endIndex).partitioningIndex { self[$0] >= element }
        return index < endIndex && self[index] == element ? index : nil
    }
}
