public import Features
import Foundation
import Kernels
import Networks

/// How much attributes of a catalogue's items tell of each other: I(U, V) = sum over values of p(u, v) log(p(u, v) / (p(u) p(v))),
/// in nats. An item with several tags counts as a part of an item for each.
public struct MutualInformation: Sendable {
    public let attributes: [ItemAttribute]
    /// `[attributes, attributes]`; the diagonal is the entropy.
    private let values: [Double]

    /// - Parameter now: when ages are taken, milliseconds since 1970.
    /// - Complexity: O(items * attributes^2 * tags of an item).
    public init(_ columns: ItemFeatureColumns, attributes: [ItemAttribute], now: Int64) {
        self.attributes = attributes
        var inputs = ItemInputs()
        for row in 0..<columns.count {
            let age = FeatureEncoder.age(published: columns.publishTimes[row], now: now)
            inputs.append(row: UInt32(row), age: age, columns: columns)
        }
        let lists = attributes.map { attribute in (0..<columns.count).map { inputs.values(of: attribute, row: $0) } }
        var values = [Double](repeating: 0, count: attributes.count * attributes.count)
        for first in attributes.indices {
            for second in first..<attributes.count {
                let information = Self.information(lists[first], lists[second])
                values[first * attributes.count + second] = information
                values[second * attributes.count + first] = information
            }
        }
        self.values = values
    }

    public subscript(first: Int, second: Int) -> Double { values[first * attributes.count + second] }

    /// The other attributes, the most related first; equal ones in their own order.
    public func related(to attribute: Int) -> [Int] {
        attributes.indices.filter { $0 != attribute }
            .sorted { (-self[attribute, $0], $0) < (-self[attribute, $1], $1) }
    }

    private static func information(_ first: [[UInt32]], _ second: [[UInt32]]) -> Double {
        var both: [UInt64: Double] = [:]
        var (one, other): ([UInt32: Double], [UInt32: Double]) = ([:], [:])
        for (left, right) in zip(first, second) {
            let part = 1 / Double(left.count * right.count * first.count)
            for u in left {
                for v in right {
                    both[UInt64(u) << 32 | UInt64(v), default: 0] += part
                    one[u, default: 0] += part
                    other[v, default: 0] += part
                }
            }
        }
        // In a fixed order: dictionaries have none, and sums depend on it.
        return both.sorted { $0.key < $1.key }.reduce(0) { sum, entry in
            let product = (one[UInt32(entry.key >> 32)] ?? 1) * (other[UInt32(truncatingIfNeeded: entry.key)] ?? 1)
            return sum + entry.value * log(entry.value / product)
        }
    }
}

extension ItemInputs {
    /// An attribute as categories: one, or an item's tags, of which none is the unknown one.
    fileprivate func values(of attribute: ItemAttribute, row: Int) -> [UInt32] {
        switch attribute {
        case .item: [items[row]]
        case .category: [categories[row]]
        case .author: [authors[row]]
        case .city: [cities[row]]
        case .tags:
            tags.offsets[row] == tags.offsets[row + 1]
                ? [0] : Array(tags.rows[tags.offsets[row]..<tags.offsets[row + 1]])
        case .duration: [durationBuckets[row]]
        case .age: [ageBuckets[row]]
        case .quality: [qualityBuckets[row]]
        }
    }
}
