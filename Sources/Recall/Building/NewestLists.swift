public import Blobs
public import Catalog
import Kernels

/// Items by author, by cell or by city, newest first: what ``KeyedListChannel`` reads.
///
/// An item whose publish time is unknown counts as published when the log first has it, else as the oldest.
public struct NewestLists: Sendable {
    private struct Entry {
        var item: ItemKey
        /// Milliseconds since 1970; 0 is unknown.
        var published: Int64
    }

    /// Ascending.
    private let keys: [UInt64]
    /// Parallel to `keys`: newest first, ties by ascending item key.
    private let lists: [[Entry]]
    private let metadata: [String: String]

    /// Items kept of one list. A channel gives at most 1,000, and seldom from one list alone.
    public static let lengthMax = 500
    /// Items below this quality are in no list of places; one of unknown quality is as good as any.
    public static let qualityMin: Float = 0.5

    /// Lists are cut over the whole catalogue before they are split: shards sum exactly to the whole.
    ///
    /// - Parameters:
    ///   - until: items published at or after this moment (milliseconds since 1970) are left out; nil keeps all.
    ///   - key: of an item, by its row; nil for one that is in no list.
    /// - Complexity: O(items log items + showings).
    private init(
        _ dataset: Dataset, until: Int64?, metadata: [String: String] = [:], key: (Int) -> UInt64?
    ) {
        let items = dataset.items
        let seen = Self.firstSeen(dataset, until: until)
        var grouped: [UInt64: [Entry]] = [:]
        for row in 0..<items.count {
            guard let key = key(row), items.publishTimes[row] < until ?? .max else { continue }
            let published = items.publishTimes[row] != 0 ? items.publishTimes[row] : seen[row]
            grouped[key, default: []].append(Entry(item: items.keys[row], published: published))
        }
        let keys = grouped.keys.sorted()
        self.keys = keys
        lists = keys.map { key in
            let list = grouped[key, default: []].sorted { ($1.published, $0.item) < ($0.published, $1.item) }
            return Array(list.prefix(Self.lengthMax))
        }
        self.metadata = metadata
    }

    /// The newest items of every author.
    public static func byAuthor(_ dataset: Dataset, until: Int64? = nil) -> NewestLists {
        NewestLists(dataset, until: until) { row in
            dataset.items.authors[row] == 0 ? nil : dataset.items.authors[row]
        }
    }

    /// The newest good items of every cell.
    public static func byCell(_ dataset: Dataset, until: Int64? = nil) -> NewestLists {
        NewestLists(dataset, until: until, metadata: ["precision": String(PlaceEncoder.precision)]) { row in
            guard isGood(dataset.items.qualities[row]) else { return nil }
            return dataset.items.place(of: row).map { GeoHash($0, precision: PlaceEncoder.precision).key }
        }
    }

    /// The newest good items of every city.
    public static func byCity(_ dataset: Dataset, until: Int64? = nil) -> NewestLists {
        NewestLists(dataset, until: until) { row in
            let city = dataset.items.cities[row]
            return city == 0 || !isGood(dataset.items.qualities[row]) ? nil : city
        }
    }

    static func isGood(_ quality: Float) -> Bool { !(quality < qualityMin) }

    /// `[items]`, time of an item's first showing before `until`; 0 without one.
    private static func firstSeen(_ dataset: Dataset, until: Int64?) -> [Int64] {
        var seen = [Int64](repeating: 0, count: dataset.items.count)
        let log = dataset.exposures
        for row in 0..<(until.map { log.firstRow(notBefore: $0) } ?? log.count) where seen[Int(log.items[row])] == 0 {
            seen[Int(log.items[row])] = log.times[row]
        }
        return seen
    }

    /// The tensors of one shard's component: `key` U64 `[k]` ascending, `offsets` U64 `[k + 1]`, and by list entry
    /// `item_key` U64 and `publish_ms` I64, each list newest first.
    public func component(shard: Int, of shardCount: Int) -> SafetensorsWriter {
        var found: [UInt64] = []
        var offsets: [UInt64] = [0]
        var entries: [Entry] = []
        for (key, list) in zip(keys, lists) {
            let own = list.filter { $0.item.shard(of: shardCount) == shard }
            guard !own.isEmpty else { continue }
            found.append(key)
            entries += own
            offsets.append(UInt64(entries.count))
        }
        var writer = SafetensorsWriter(metadata: metadata)
        writer.add("key", found)
        writer.add("offsets", offsets)
        writer.add("item_key", entries.map(\.item.rawValue))
        writer.add("publish_ms", entries.map(\.published))
        return writer
    }
}
