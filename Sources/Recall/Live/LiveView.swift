import Catalog
import Kernels
import Models

/// The live items that one snapshot version lacks, with what its models make of them. Immutable.
public final class LiveView: Sendable {
    /// Of the segment that this shows.
    let revision: Int
    /// Newest first, ties by ascending key.
    let items: [LiveItem]
    /// `[items, d]`, the item tower's outputs; empty without a tower.
    let vectors: [Float]
    /// Parallel to `items`: where each is; 0 without a place.
    let cells: [UInt64]
    private let places: [ItemKey: Int]

    static let empty = LiveView(LiveItems.Segment(), isKnown: { _ in false }, tower: nil, previous: nil)

    /// - Parameters:
    ///   - isKnown: whether the version has an item.
    ///   - tower: makes the vectors of items that `previous` does not have.
    /// - Complexity: O(n log n), and a run of the tower for every new item.
    init(
        _ segment: LiveItems.Segment, isKnown: (ItemKey) -> Bool, tower: TwoTowerItemNet?, previous: LiveView?
    ) {
        revision = segment.revision
        items = segment.items.filter { !isKnown($0.key) }
            .sorted { ($1.publishMilliseconds, $0.key) < ($0.publishMilliseconds, $1.key) }
        places = Dictionary(uniqueKeysWithValues: items.indices.map { [items] in (items[$0].key, $0) })
        cells = items.map { $0.place.map { GeoHash($0, precision: PlaceEncoder.precision).key } ?? 0 }
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

    subscript(key: ItemKey) -> LiveItem? { places[key].map { items[$0] } }

    /// The vector of the same item, unchanged.
    private func vector(of item: LiveItem) -> ArraySlice<Float>? {
        guard !vectors.isEmpty, let place = places[item.key], items[place] == item else { return nil }
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

extension LiveView {
    /// The best `limit` of the items that have a score and are not excluded.
    ///
    /// - Complexity: O(n).
    func best(_ limit: Int, _ scratch: RecallScratch, score: (Int) -> Float?) -> Candidates {
        var best = TopK(min(limit, items.count))
        for place in items.indices {
            guard let score = score(place), !scratch.excludes(items[place].key) else { continue }
            best.offer(score: score, id: items[place].key.rawValue)
        }
        return Candidates(best.take())
    }
}
