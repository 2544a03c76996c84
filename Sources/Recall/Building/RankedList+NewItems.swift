public import Catalog
import Kernels

extension RankedList {
    /// Days before the end within which an item was published that is new.
    public static let newDays = 14
    /// Impressions that every new item is to get before it stands on its own.
    public static let impressionsMin = 100

    /// The new items that have been shown too seldom for anyone to know how good they are, the least shown first. The
    /// score is minus the impressions.
    ///
    /// - Parameter until: the end, milliseconds since 1970; what was shown or published at or after it is not known. Nil: the
    ///   last showing, and nothing is left out for being newer.
    /// - Complexity: O(showings + items log items).
    public static func underExposed(_ dataset: Dataset, until: Int64? = nil) -> RankedList {
        let log = dataset.exposures
        let items = dataset.items
        let rows = until.map { log.firstRow(notBefore: $0) } ?? log.count
        let end = until ?? (log.times.last ?? 0)
        var shown = [Int](repeating: 0, count: items.count)
        for row in 0..<rows where Actions(rawValue: log.actions[row]).contains(.impression) {
            shown[Int(log.items[row])] += 1
        }
        let first = end - Int64(newDays) * 86_400_000
        let new = (0..<items.count).filter { row in
            let published = items.publishTimes[row]
            return published != 0 && published >= first && published < until ?? .max && shown[row] < impressionsMin
        }
        return RankedList(
            new.map { (items.keys[$0], -Float(shown[$0])) },
            metadata: [
                "until_ms": String(end), "new_days": String(newDays), "impressions_min": String(impressionsMin),
            ])
    }
}
