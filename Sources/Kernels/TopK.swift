/// A candidate's score and its key or row number.
@frozen
public struct Scored: Sendable, Hashable {
    public var score: Float
    public var id: UInt64

    @inlinable
    public init(score: Float, id: UInt64) {
        self.score = score
        self.id = id
    }

    /// The order of every result list: score descending, ties by ascending id.
    @inlinable
    public static func precedes(_ left: Scored, _ right: Scored) -> Bool {
        left.score > right.score || (left.score == right.score && left.id < right.id)
    }
}

/// Keeps the k best of a stream of scored candidates.
///
/// Up to 2k candidates that beat the threshold gather in a reservoir; when it is full, a selection keeps the best k and
/// raises the threshold. The result is exact, and the same whatever the order of the stream. Scores that are NaN or
/// -infinity are never kept. Allocates once, in `init`.
public struct TopK: Sendable {
    public let k: Int
    private var reservoir: [Scored] = []
    /// What a candidate must precede or equal to be kept; raised at each selection.
    private var bar = TopK.lowest

    private static let lowest = Scored(score: -.greatestFiniteMagnitude, id: .max)
    /// Scores compared per call of the kernel; its positions fit on the stack.
    private static let block = 512

    public init(_ k: Int) {
        precondition(k >= 0, "k must not be negative")
        self.k = k
        reservoir.reserveCapacity(2 * k + 1)
    }

    /// No candidate with a score below this can enter any more.
    public var threshold: Float { bar.score }

    /// Forgets everything; keeps the memory.
    public mutating func removeAll() {
        reservoir.removeAll(keepingCapacity: true)
        bar = TopK.lowest
    }

    /// - Complexity: O(1) amortised.
    public mutating func offer(_ candidate: Scored) {
        guard candidate.score >= bar.score, k > 0 else { return }
        if candidate.score == bar.score, candidate.id > bar.id { return }
        reservoir.append(candidate)
        if reservoir.count >= 2 * k { select() }
    }

    @inlinable
    public mutating func offer(score: Float, id: UInt64) {
        offer(Scored(score: score, id: id))
    }

    /// Offers `scores[i]` with id `firstID + i`.
    public mutating func offer(scores: UnsafeBufferPointer<Float>, firstID: UInt64) {
        offer(scores) { firstID + UInt64($0) }
    }

    /// Offers `scores[i]` with id `ids[i]`.
    public mutating func offer(scores: UnsafeBufferPointer<Float>, ids: UnsafeBufferPointer<UInt64>) {
        precondition(ids.count == scores.count, "one id per score")
        offer(scores) { ids[$0] }
    }

    private mutating func offer(_ scores: UnsafeBufferPointer<Float>, id: (Int) -> UInt64) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: TopK.block) { positions in
            guard let base = scores.baseAddress, let found = positions.baseAddress else { return }
            var start = 0
            while start < scores.count {
                let count = min(TopK.block, scores.count - start)
                let hits = kernels.collect(base + start, count: count, threshold: bar.score, positions: found)
                for hit in 0..<hits {
                    let position = start + Int(found[hit])
                    offer(Scored(score: base[position], id: id(position)))
                }
                start += count
            }
        }
    }

    /// The best k so far, best first, and an empty reservoir.
    ///
    /// - Complexity: O(k log k).
    public mutating func take() -> [Scored] {
        if reservoir.count > k { select() }
        reservoir.sort(by: Scored.precedes)
        let result = reservoir
        removeAll()
        return result
    }

    private mutating func select() {
        guard k > 0, reservoir.count >= k else { return }
        reservoir.withUnsafeMutableBufferPointer { selectBest($0, k) }
        reservoir.removeLast(reservoir.count - k)
        bar = reservoir[k - 1]
    }
}

extension TopK {
    /// The k best of a whole array of scores, best first, ids being positions.
    ///
    /// A sample of about 2,048 scores gives a threshold that a little more than k scores pass, with overwhelming
    /// probability; when fewer do, the stream form answers. Exact in every case.
    /// - Complexity: O(n) comparisons, eight at a time, and O(k log k).
    public static func select(_ k: Int, of scores: UnsafeBufferPointer<Float>) -> [Scored] {
        var (bar, expected) = (TopK.lowest.score, scores.count)
        if scores.count >= 4 * max(k, 1024) { (bar, expected) = sampledThreshold(k, scores) }
        var found = gather(scores, threshold: bar, expected: expected)
        if found.count < min(k, scores.count), bar > TopK.lowest.score {
            found = gather(scores, threshold: TopK.lowest.score, expected: scores.count)
        }
        if found.count > k {
            found.withUnsafeMutableBufferPointer { selectBest($0, k) }
            found.removeLast(found.count - k)
        }
        found.sort(by: Scored.precedes)
        return found
    }

    /// A threshold, and how many may be expected to pass it.
    private static func sampledThreshold(
        _ k: Int, _ scores: UnsafeBufferPointer<Float>
    ) -> (bar: Float, expected: Int) {
        let stride = scores.count / 2048
        var sample: [Scored] = []
        sample.reserveCapacity(scores.count / stride + 1)
        for index in Swift.stride(from: 0, to: scores.count, by: stride) where !scores[index].isNaN {
            sample.append(Scored(score: scores[index], id: UInt64(index)))
        }
        let expected = Double(k) * Double(sample.count) / Double(scores.count)
        // Four standard deviations above the expected rank of the k-th best.
        let rank = Int(expected + 4 * expected.squareRoot() + 6)
        guard rank < sample.count else { return (TopK.lowest.score, scores.count) }
        sample.withUnsafeMutableBufferPointer { selectBest($0, rank) }
        return (max(sample[rank - 1].score, TopK.lowest.score), rank * stride)
    }

    private static func gather(
        _ scores: UnsafeBufferPointer<Float>, threshold: Float, expected: Int
    ) -> [Scored] {
        var found: [Scored] = []
        // Room for twice as many as expected: how many pass swings with the sample.
        found.reserveCapacity(min(scores.count, 2 * expected))
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: block) { positions in
            guard let base = scores.baseAddress, let passed = positions.baseAddress else { return }
            for start in Swift.stride(from: 0, to: scores.count, by: block) {
                let count = min(block, scores.count - start)
                let hits = kernels.collect(base + start, count: count, threshold: threshold, positions: passed)
                for hit in 0..<hits {
                    let position = start + Int(passed[hit])
                    found.append(Scored(score: base[position], id: UInt64(position)))
                }
            }
        }
        return found
    }
}

/// Moves the k best to the front, the k-th best to position k - 1 (Hoare's selection, median of three).
///
/// - Complexity: O(n) on average.
private func selectBest(_ values: UnsafeMutableBufferPointer<Scored>, _ k: Int) {
    var low = 0
    var high = values.count - 1
    let target = k - 1
    while low < high {
        let pivot = median(values[low], values[(low + high) / 2], values[high])
        var left = low
        var right = high
        while left <= right {
            while Scored.precedes(values[left], pivot) { left += 1 }
            while Scored.precedes(pivot, values[right]) { right -= 1 }
            if left <= right {
                values.swapAt(left, right)
                left += 1
                right -= 1
            }
        }
        if target <= right {
            high = right
        } else if target >= left {
            low = left
        } else {
            return
        }
    }
}

private func median(_ a: Scored, _ b: Scored, _ c: Scored) -> Scored {
    if Scored.precedes(a, b) {
        return Scored.precedes(b, c) ? b : Scored.precedes(a, c) ? c : a
    }
    return Scored.precedes(a, c) ? a : Scored.precedes(b, c) ? c : b
}
