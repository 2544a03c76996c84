import Catalog
import Foundation

/// Estimates from a stream of batches how likely items are to be in a batch (Yi et al., RecSys 2019, algorithms 2 and 3).
///
/// For each item, in cells found by hashing: the step at which it last occurred, A, and a moving average of the steps
/// between occurrences, B <- (1 - rate) B + rate (step - A). The estimate is 1 / B. Of several hash functions the
/// largest B counts: a collision makes an item look more frequent, never rarer.
public struct StreamingFrequency: Sendable {
    /// Batches seen.
    public private(set) var steps: Int32 = 0
    private let rate: Float
    private let buckets: Int
    private let hashes: Int
    /// `[hashes, buckets]`: A, and B.
    private var last: [Int32]
    private var gaps: [Float]

    /// - Parameter initialGap: B before anything is known, at least 1.
    public init(buckets: Int, hashes: Int, rate: Double, initialGap: Double) {
        precondition(buckets > 0 && hashes > 0 && rate > 0 && rate <= 1 && initialGap >= 1, "values out of range")
        self.buckets = buckets
        self.hashes = hashes
        self.rate = Float(rate)
        last = Array(repeating: 0, count: buckets * hashes)
        gaps = Array(repeating: Float(initialGap), count: buckets * hashes)
    }

    /// Goes on from what another run estimated: each item's first batch only tells when it was, not how long ago the last.
    ///
    /// - Parameter gaps: `[items]`; of items that share a cell the most frequent one's counts.
    public init(buckets: Int, hashes: Int, rate: Double, gaps known: [Float]) {
        let longest = Double(max(1, known.max() ?? 1))
        self.init(buckets: buckets, hashes: hashes, rate: rate, initialGap: longest)
        last = Array(repeating: Self.never, count: buckets * hashes)
        for (item, gap) in known.enumerated() {
            for hash in 0..<hashes {
                let cell = cell(UInt32(item), hash)
                gaps[cell] = min(gaps[cell], max(gap, 1))
            }
        }
    }

    private static let never = Int32.min

    /// Takes in the next batch. An item that occurs in it several times is in it once.
    ///
    /// - Complexity: O(items * hashes).
    public mutating func add(_ items: some Sequence<UInt32>) {
        steps += 1
        for item in items {
            for hash in 0..<hashes {
                let cell = cell(item, hash)
                guard last[cell] != steps else { continue }
                if last[cell] != Self.never { gaps[cell] += rate * (Float(steps - last[cell]) - gaps[cell]) }
                last[cell] = steps
            }
        }
    }

    /// Steps between two occurrences of the item, at least 1.
    public func gap(_ item: UInt32) -> Float {
        (0..<hashes).reduce(1) { max($0, gaps[cell(item, $1)]) }
    }

    /// log of the probability that the item is in a batch, per place of a batch of `size` places.
    func logShare(_ item: UInt32, size: Int) -> Float {
        -log(gap(item) * Float(size))
    }

    private func cell(_ item: UInt32, _ hash: Int) -> Int {
        let mixed = PublicID.mixed(UInt64(item) &+ UInt64(hash) &* 0x9e37_79b9_7f4a_7c15)
        return hash * buckets + Int(mixed % UInt64(buckets))
    }
}
