public import Blobs
import Catalog
import Kernels
import VectorIndex

extension ChannelLoader {
    public static let place = keyedList(ChannelName.place, component: "place", by: .cell)
    public static let city = keyedList(ChannelName.city, component: "city", by: .city)
    public static let followedAuthor = keyedList(ChannelName.followedAuthor, component: "authors", by: .author)
    public static let author = keyedList(ChannelName.author, component: "authors", by: .author)
    public static let similarAuthor = keyedList(ChannelName.similarAuthor, component: "authors", by: .author)

    private static func keyedList(_ name: String, component: String, by kind: KeyedListChannel.Kind) -> ChannelLoader {
        ChannelLoader(name: name, component: component) { try KeyedListChannel(component: $0, by: kind) }
    }
}

/// The newest items of some authors, cells or cities: `followed-author`, `author`, `similar-author`, `place`, `city`.
///
/// The input's keys say of which, and their weights how much each counts:
/// score(i) = w(key of i) / (1 + age of i / 7 days), the age at the time of the request. With equal weights that is
/// newest first.
public struct KeyedListChannel: LiveRecallChannel {
    /// What of an item is its key.
    public enum Kind: Sendable {
        case author
        /// The cell of its place, for good items.
        case cell
        /// For good items.
        case city
    }

    /// Keys of one request that are looked at, the first.
    public static let keysMax = 1_000

    private let kind: Kind
    private let rows: KeyRows
    private let items: SharedBuffer<UInt64>
    private let published: SharedBuffer<Int64>

    /// - Complexity: O(keys + entries): everything is checked.
    public init(component file: SafetensorsFile, by kind: Kind) throws(BlobError) {
        self.kind = kind
        items = try file.buffer("item_key", as: UInt64.self, shape: [nil])
        published = try file.buffer("publish_ms", as: Int64.self, shape: [items.count])
        rows = try KeyRows(file, key: "key", spanning: items.count)
        for range in rows.ranges {
            for entry in range.dropFirst() {
                let ordered =
                    published[entry - 1] > published[entry]
                    || (published[entry - 1] == published[entry] && items[entry - 1] < items[entry])
                guard ordered else {
                    throw BlobError(
                        .corrupt,
                        "\(file.path): entries \(entry - 1) and \(entry) are not newest first with ties by ascending key"
                    )
                }
            }
        }
    }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        var best = TopK(min(limit, items.count))
        let count = min(input.keys.count, Self.keysMax)
        scratch.triggers.removeAll(reserving: count)
        items.withUnsafeBufferPointer { items in
            published.withUnsafeBufferPointer { published in
                for place in 0..<count {
                    let (key, weight) = (input.keys[place], input.weights[place])
                    guard weight > 0, weight.isFinite, scratch.triggers.insert(key) else { continue }
                    for entry in rows.entries(of: key) {
                        let score = weight * Self.recency(published[entry], now: query.timeMilliseconds)
                        // Scores fall along a list.
                        if score < best.threshold { break }
                        if !scratch.excluded.contains(items[entry]) { best.offer(score: score, id: items[entry]) }
                    }
                }
            }
        }
        return Candidates(best.take())
    }

    func liveCandidates(
        _ live: LiveView, for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) -> Candidates {
        let groups =
            switch kind {
            case .author: live.byAuthor
            case .cell: live.byCell
            case .city: live.byCity
            }
        var best = TopK(min(limit, live.keys.count))
        let count = min(input.keys.count, Self.keysMax)
        scratch.triggers.removeAll(reserving: count)
        for place in 0..<count {
            let (key, weight) = (input.keys[place], input.weights[place])
            guard weight > 0, weight.isFinite, scratch.triggers.insert(key), let group = groups[key] else { continue }
            for item in group {
                let score = weight * Self.recency(live.published[item], now: query.timeMilliseconds)
                if score < best.threshold { break }
                if !scratch.excluded.contains(live.keys[item]) { best.offer(score: score, id: live.keys[item]) }
            }
        }
        return Candidates(best.take())
    }

    /// 1 / (1 + age / 7 days), 1 for what is yet to be published.
    static func recency(_ published: Int64, now: Int64) -> Float {
        let age = Float(max(now &- published, 0)) / Float(7 * 86_400_000)
        return 1 / (1 + age)
    }
}
