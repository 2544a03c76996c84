import Catalog
import Kernels
import Models

/// The live items that one snapshot version lacks, with what its models make of them, laid out for channels. Immutable.
public final class LiveView: Sendable {
    /// Of the segment that this shows.
    let revision: Int
    /// Newest first, ties by ascending key.
    let items: [LiveItem]
    /// Parallel to `items`.
    let keys: [UInt64]
    /// Parallel to `items`, milliseconds since 1970.
    let published: [Int64]
    /// `[items, d]`, the item tower's outputs; empty without a tower.
    let vectors: [Float]
    /// Places in `items` by author, and for good items by cell and by city, each ascending: newest first.
    let byAuthor: [UInt64: [Int]]
    let byCell: [UInt64: [Int]]
    let byCity: [UInt64: [Int]]
    private let places: [UInt64: Int]

    static let empty = LiveView(LiveItems.Segment(), isKnown: { _ in false }, tower: nil, previous: nil)

    /// - Parameters:
    ///   - isKnown: whether the version has an item.
    ///   - tower: makes the vectors of items that `previous` does not have.
    /// - Complexity: O(n log n), and a run of the tower for every new item.
    init(
        _ segment: LiveItems.Segment, isKnown: (ItemKey) -> Bool, tower: TwoTowerItemNet?, previous: LiveView?
    ) {
        revision = segment.revision
        let items = segment.items.filter { !isKnown($0.key) }
            .sorted { ($1.publishMilliseconds, $0.key) < ($0.publishMilliseconds, $1.key) }
        self.items = items
        keys = items.map(\.key.rawValue)
        published = items.map(\.publishMilliseconds)
        places = Dictionary(uniqueKeysWithValues: zip(keys, items.indices))
        byAuthor = Self.group(items) { $0.author }
        byCell = Self.group(items) { item in
            guard NewestLists.isGood(item.quality ?? .nan), let place = item.place else { return 0 }
            return GeoHash(place, precision: PlaceEncoder.precision).key
        }
        byCity = Self.group(items) { NewestLists.isGood($0.quality ?? .nan) ? $0.city : 0 }
        var vectors: [Float] = []
        if let tower {
            vectors.reserveCapacity(items.count * tower.dimension)
            for item in items {
                let known = previous?.vector(of: item)
                vectors += known.map(Array.init) ?? tower.vector(of: item)
            }
        }
        self.vectors = vectors
    }

    private static func group(_ items: [LiveItem], by key: (LiveItem) -> UInt64) -> [UInt64: [Int]] {
        var groups: [UInt64: [Int]] = [:]
        for (place, item) in items.enumerated() {
            let key = key(item)
            if key != 0 { groups[key, default: []].append(place) }
        }
        return groups
    }

    subscript(key: ItemKey) -> LiveItem? { places[key.rawValue].map { items[$0] } }

    func contains(_ key: ItemKey) -> Bool { places[key.rawValue] != nil }

    /// The vector of the same item, unchanged.
    private func vector(of item: LiveItem) -> ArraySlice<Float>? {
        guard !vectors.isEmpty, let place = places[item.key.rawValue], items[place] == item else { return nil }
        let width = vectors.count / items.count
        return vectors[place * width..<(place + 1) * width]
    }
}

/// A channel that finds live items too, beside those of its component.
protocol LiveRecallChannel: RecallChannel {
    /// The best `limit` of the live items, scored as the channel scores its own.
    func liveCandidates(
        _ live: LiveView, for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) -> Candidates
}
