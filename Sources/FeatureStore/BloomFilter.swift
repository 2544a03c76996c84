public import Catalog
import Foundation

/// A set of items that may say yes to an item it does not hold, and never no to one it holds (Bloom, CACM 1970).
public struct BloomFilter: Hashable, Sendable {
    /// How large a filter is, and how many places it sets for an item.
    public struct Size: Hashable, Sendable {
        /// m, at least 2.
        public let bits: Int
        /// k, at least 1.
        public let hashes: Int

        /// The smallest filter that keeps to a rate of false positives: k = log2(1 / delta), m = n ln(1 / delta) / (ln 2)^2.
        ///
        /// - Parameters:
        ///   - items: n, the items it is made for, at least 1.
        ///   - falsePositiveRate: delta, above 0 and below 1.
        public init(items: Int, falsePositiveRate: Double) {
            precondition(items > 0 && falsePositiveRate > 0 && falsePositiveRate < 1, "a filter of a size and a rate")
            let nats = -log(falsePositiveRate)
            bits = max(Int((Double(items) * nats / (M_LN2 * M_LN2)).rounded(.up)), 2)
            hashes = max(Int((nats / M_LN2).rounded()), 1)
        }

        /// The rate of false positives with `items` in the filter: (1 - exp(-k (n + 0.5) / (m - 1)))^k.
        public func falsePositiveRate(items: Int) -> Double {
            let filled = 1 - exp(-Double(hashes) * (Double(items) + 0.5) / Double(bits - 1))
            return pow(filled, Double(hashes))
        }
    }

    public let size: Size
    /// Insertions that changed the filter.
    public private(set) var count = 0
    private var words: [UInt64]

    public init(_ size: Size) {
        self.size = size
        words = [UInt64](repeating: 0, count: (size.bits + 63) / 64)
    }

    /// Memory of the bits.
    public var byteCount: Int { words.count * 8 }

    /// - Complexity: O(k).
    public mutating func insert(_ item: ItemKey) {
        var places = Places(item, size)
        var isNew = false
        for _ in 0..<size.hashes {
            let (word, bit) = places.next()
            isNew = isNew || words[word] & bit == 0
            words[word] |= bit
        }
        count += isNew ? 1 : 0
    }

    /// - Complexity: O(k); about 2 places for an item that is not there.
    public func contains(_ item: ItemKey) -> Bool {
        var places = Places(item, size)
        for _ in 0..<size.hashes {
            let (word, bit) = places.next()
            if words[word] & bit == 0 { return false }
        }
        return true
    }

    /// Each place is a hash of its own. Two hashes and their multiples would be cheaper and, in filters as small as these,
    /// worse by more than the rates promised: one key in m has places that all but coincide.
    private struct Places {
        private var state: UInt64
        private let bits: UInt64

        init(_ item: ItemKey, _ size: Size) {
            state = PublicID.mixed(item.rawValue)
            bits = UInt64(size.bits)
        }

        mutating func next() -> (word: Int, bit: UInt64) {
            state = PublicID.mixed(state)
            let place = state.multipliedFullWidth(by: bits).high
            return (Int(place >> 6), 1 << (place & 63))
        }
    }
}
