public import Blobs
public import Catalog
import Kernels

import func Glibc.exp2

/// A list that is the same for everyone, best first: what the popular and newest channels serve.
public struct RankedList: Sendable {
    public let items: [ItemKey]
    public let scores: [Float]
    public let metadata: [String: String]

    /// Items kept of the whole catalogue. Far more than a page shows, so that users who have seen the head still get
    /// candidates; 5,000 entries take 60 KB.
    public static let lengthMax = 5_000

    /// Cut to the best `lengthMax` over all items before it is split: shards sum exactly to the whole.
    init(_ scored: [(item: ItemKey, score: Float)], metadata: [String: String]) {
        let best = scored.sorted { $0.score > $1.score || ($0.score == $1.score && $0.item < $1.item) }
            .prefix(Self.lengthMax)
        items = best.map(\.item)
        scores = best.map(\.score)
        self.metadata = metadata
    }

    /// The tensors of one shard's component: `item_key` U64 `[m]` and `score` F32 `[m]`, best first.
    public func component(shard: Int, of shardCount: Int) -> SafetensorsWriter {
        let own = items.indices.filter { items[$0].shard(of: shardCount) == shard }
        var writer = SafetensorsWriter(metadata: metadata)
        writer.add("item_key", own.map { items[$0].rawValue })
        writer.add("score", own.map { scores[$0] })
        return writer
    }
}

extension RankedList {
    /// The most clicked items of the recent past: every click within `window` before the end counts
    /// 2^(-age / halfLife), so that yesterday's hit outweighs last month's.
    ///
    /// - Parameters:
    ///   - until: the end, milliseconds since 1970; showings at or after it do not count. Nil: after the last one.
    ///   - window: older clicks do not count.
    ///   - halfLife: age at which a click counts half.
    /// - Complexity: O(showings + items log items).
    public static func popular(
        _ dataset: Dataset, until: Int64? = nil, window: Duration = .seconds(30 * 86_400),
        halfLife: Duration = .seconds(7 * 86_400)
    ) -> RankedList {
        let exposures = dataset.exposures
        let count = until.map { exposures.firstRow(notBefore: $0) } ?? exposures.count
        let end = until ?? (exposures.times.last ?? 0)
        let first = exposures.firstRow(notBefore: end - milliseconds(window))
        var scores = [Double](repeating: 0, count: dataset.items.count)
        for row in min(first, count)..<count where Actions(rawValue: exposures.actions[row]).contains(.click) {
            let age = Double(end - exposures.times[row])
            scores[Int(exposures.items[row])] += exp2(-age / Double(milliseconds(halfLife)))
        }
        let clicked = scores.indices.filter { scores[$0] > 0 }
        return RankedList(
            clicked.map { (dataset.items.keys[$0], Float(scores[$0])) },
            metadata: [
                "until_ms": String(end), "window_seconds": String(window.components.seconds),
                "half_life_seconds": String(halfLife.components.seconds),
            ])
    }

    /// The items published last. The score is minus the age in days at the end: 0 is now, -7 a week ago.
    ///
    /// - Parameter until: the end, milliseconds since 1970; items published after it are left out, as are items whose
    ///   publish time is unknown. Nil: the last showing, and nothing is left out for being newer.
    /// - Complexity: O(items log items).
    public static func newest(_ dataset: Dataset, until: Int64? = nil) -> RankedList {
        let end = until ?? (dataset.exposures.times.last ?? 0)
        let items = dataset.items
        let dated = (0..<items.count).filter { items.publishTimes[$0] != 0 && items.publishTimes[$0] <= until ?? .max }
        return RankedList(
            dated.map { (items.keys[$0], Float(Double(items.publishTimes[$0] - end) / 86_400_000)) },
            metadata: ["until_ms": String(end)])
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
}
