public import Catalog
import Foundation
public import Kernels

/// Each user's rejected candidates, for hard negatives: items that ranking left out shortly before a click.
///
/// Whatever the log has of a user and an item, a showing with or without a click or a deed without a showing, the item is
/// no negative of his here: what was shown and not clicked is for ranking to learn from, not for recall.
public struct RejectedCandidates: Sendable {
    /// The newest candidates before a click that are drawn from.
    private static let recentMax = 16

    /// Rows left out since the log has the pair.
    public let met: Int
    /// `[U + 1]`.
    private let offsets: [Int]
    /// By user, oldest first.
    private let items: [UInt32]
    private let times: [Int64]
    /// `[N]`, log of each item's share of all rejected candidates.
    private let logShares: [Float]

    /// - Parameter rows: The part of the log that may be known; candidates after its last row are not used.
    /// - Complexity: O(rejected + rows + items).
    public init(_ dataset: Dataset, rows: Range<Int>) {
        let (rejected, log) = (dataset.rejected, dataset.exposures)
        let end = rows.isEmpty ? Int64.min : log.times[rows.upperBound - 1]
        let known = (0..<rejected.count).prefix { rejected.times[$0] <= end }
        let met = Self.met(rejected, known, log, rows)
        let kept = known.filter { !met.contains(Self.pair(rejected.users[$0], rejected.items[$0])) }
        self.met = known.count - kept.count
        var offsets = [Int](repeating: 0, count: dataset.users.count + 1)
        var counts = [Int](repeating: 0, count: dataset.items.count)
        for row in kept {
            offsets[Int(rejected.users[row]) + 1] += 1
            counts[Int(rejected.items[row])] += 1
        }
        for user in 0..<dataset.users.count { offsets[user + 1] += offsets[user] }
        var items = [UInt32](repeating: 0, count: kept.count)
        var times = [Int64](repeating: 0, count: kept.count)
        var next = offsets
        for row in kept {
            let place = next[Int(rejected.users[row])]
            (items[place], times[place]) = (rejected.items[row], rejected.times[row])
            next[Int(rejected.users[row])] += 1
        }
        (self.offsets, self.items, self.times) = (offsets, items, times)
        let total = Double(max(kept.count, 1))
        logShares = counts.map { Float(Foundation.log(Double(max($0, 1)) / total)) }
    }

    public var count: Int { items.count }

    /// One of the user's newest candidates that were rejected at or before a moment; nil when there is none.
    ///
    /// - Complexity: O(log(candidates of the user)).
    public func draw(user: Int, until milliseconds: Int64, using generator: inout SeededGenerator) -> UInt32? {
        let end = (offsets[user]..<offsets[user + 1]).partitioningIndex { times[$0] > milliseconds }
        let recent = min(end - offsets[user], Self.recentMax)
        return recent > 0 ? items[end - 1 - Int.random(in: 0..<recent, using: &generator)] : nil
    }

    func logShare(_ item: UInt32) -> Float { logShares[Int(item)] }

    /// The pairs of the candidates that the log has.
    static func met(
        _ rejected: RejectedTable, _ known: Range<Int>, _ log: ExposureTable, _ rows: Range<Int>
    ) -> Set<UInt64> {
        let pairs = Set(known.map { pair(rejected.users[$0], rejected.items[$0]) })
        guard !pairs.isEmpty else { return [] }
        var met: Set<UInt64> = []
        for row in rows {
            let pair = pair(log.users[row], log.items[row])
            if pairs.contains(pair) { met.insert(pair) }
        }
        return met
    }

    static func pair(_ user: UInt32, _ item: UInt32) -> UInt64 { UInt64(user) << 32 | UInt64(item) }
}
