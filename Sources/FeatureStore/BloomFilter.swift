public import Catalog
import Foundation

/// A set of items that may say yes to an item it does not hold, and never no to one it holds (Bloom, CACM 1970).
public struct BloomFilter: Hashable, Sendable {
    /// How large a filter is, and how many places it sets for an item.
    public struct Size: Hashable, Sendable {
        /// m, at least 2.
        public let bits: Int
        /// k, 1...32.
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
            hashes = min(max(Int((nats / M_LN2).rounded()), 1), 32)
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
        var hashes = ItemHashes(item)
        insert(&hashes)
    }

    /// - Complexity: O(k); about 2 places for an item that is not there.
    public func contains(_ item: ItemKey) -> Bool {
        var hashes = ItemHashes(item)
        return contains(&hashes)
    }

    mutating func insert(_ hashes: inout ItemHashes) {
        var isNew = false
        for index in 0..<size.hashes {
            let (word, bit) = place(of: hashes[index])
            isNew = isNew || words[word] & bit == 0
            words[word] |= bit
        }
        count += isNew ? 1 : 0
    }

    func contains(_ hashes: inout ItemHashes) -> Bool {
        words.withUnsafeBufferPointer { words in
            for index in 0..<size.hashes {
                let (word, bit) = place(of: hashes[index])
                if words[word] & bit == 0 { return false }
            }
            return true
        }
    }

    private func place(of hash: UInt64) -> (word: Int, bit: UInt64) {
        let place = hash.multipliedFullWidth(by: UInt64(size.bits)).high
        return (Int(place >> 6), 1 << (place & 63))
    }
}

/// The hashes of one item, made as they are asked for and the same for every filter.
///
/// Each is a hash of its own. Two hashes and their multiples would be cheaper and, in filters as small as these, worse by
/// more than the rates promised: one key in m has places that all but coincide.
struct ItemHashes {
    /// Hashes kept; a filter of more than 32 would promise less than one false positive in 10^9.
    private static let keptMax = 32

    private var values = InlineArray<32, UInt64>(repeating: 0)
    private var known = 0
    private var last: UInt64

    init(_ item: ItemKey) {
        last = PublicID.mixed(item.rawValue)
    }

    subscript(index: Int) -> UInt64 {
        mutating get {
            precondition(index < Self.keptMax, "a filter has at most \(Self.keptMax) hashes")
            while known <= index {
                last = PublicID.mixed(last)
                values[known] = last
                known += 1
            }
            return values[index]
        }
    }
}
