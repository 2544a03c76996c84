import Catalog
import Features
import Kernels
import Models
import Networks

/// What one request writes while it is pre-ranked; reused by later requests.
final class PreRankScratch {
    let workspace = Workspace()
    var user = UserInputs()
    let head: PreRankHead.Scratch
    var cross = CrossEncoder()
    let fusion = FusionScratch()
    var attributes = FusionAttributes()
    /// Candidates that can be scored, in the order of the request: those of the catalogue, then those it does not have.
    private(set) var keys: [ItemKey] = []
    /// Their places in the request.
    private(set) var places: [UInt32] = []
    /// What the models read of them, and their categories again, 0 when it is not known; set as they are scored.
    private(set) var features: [ItemFeatures] = []
    private(set) var categories: [UInt32] = []
    /// Ages of a tile's items, as a feature.
    private(set) var ages: [Float] = []
    private var published: [Int64] = []
    private var now: Int64 = 0
    /// Rows of those of the catalogue, the first of `keys`.
    private(set) var rows: [UInt32] = []
    /// By place in the request, the row of the catalogue, or `KeyIndex.missing`.
    private var catalogueRows: [UInt32] = []
    /// The others.
    private(set) var live: [LiveItemTowers.Entry] = []
    /// `[count, 2]`: probability of a click, seconds watched.
    var predictions: [Float] = []
    /// By the fused score; set by `sort`.
    private(set) var order = CandidateOrder()
    var towers = TowerCounts()

    init(_ head: PreRankHead) {
        self.head = PreRankHead.Scratch(head)
    }

    /// Candidates that can be scored.
    var count: Int { keys.count }

    /// Looks up the candidates.
    ///
    /// - Parameters:
    ///   - now: what ages are counted to.
    ///   - liveEntry: what is needed of an item that the snapshot does not have.
    func begin(
        _ items: SharedBuffer<ItemKey>, now: Int64, net: PreRankNet, live attributes: [LiveItem],
        liveEntry: (LiveItem) -> LiveItemTowers.Entry
    ) {
        removeAll()
        self.now = now
        let missing = net.encoder.itemIndex.rows(of: items, into: &catalogueRows)
        for (place, row) in catalogueRows.enumerated() where row != KeyIndex.missing {
            rows.append(row)
            append(items[place], place)
        }
        guard missing > 0 else { return }
        guard !attributes.isEmpty else { return }
        let known = Dictionary(attributes.map { ($0.key, $0) }) { first, _ in first }
        for (place, row) in catalogueRows.enumerated() where row == KeyIndex.missing {
            let item = items[place]
            guard let attributes = known[item] else { continue }
            let entry = liveEntry(attributes)
            live.append(entry)
            append(item, place)
        }
    }

    /// Puts the candidates in order.
    func sort() {
        order.sort(fusion.scores, keys: keys)
    }

    private func append(_ item: ItemKey, _ place: Int) {
        keys.append(item)
        places.append(UInt32(place))
    }

    /// Takes in the features of catalogue candidates, a tile at a time and in their order.
    func takeFeatures(_ range: Range<Int>, _ signals: borrowing SignalTable) {
        for place in range.prefix(Self.itemsAhead) { signals.prefetch(Int(rows[place])) }
        take(range.count) { place in
            let next = range.lowerBound + place + Self.itemsAhead
            if next < range.upperBound { signals.prefetch(Int(rows[next])) }
            return signals.features(of: Int(rows[range.lowerBound + place]))
        }
    }

    /// The same of candidates that the catalogue does not have, after all others.
    func takeFeatures(ofLive range: Range<Int>) {
        take(range.count) { live[range.lowerBound + $0].features }
    }

    private func take(_ count: Int, features feature: (Int) -> ItemFeatures) {
        published.removeAll(keepingCapacity: true)
        for place in 0..<count {
            let item = feature(place)
            features.append(item)
            categories.append(item.category)
            published.append(item.publishTime)
        }
        FeatureEncoder.ages(published: published, now: now, into: &ages)
    }

    /// Items that are asked for ahead of their use: memory takes about as long as so many copies.
    private static let itemsAhead = 12

    private func removeAll() {
        keys.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        features.removeAll(keepingCapacity: true)
        categories.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
        live.removeAll(keepingCapacity: true)
        predictions.removeAll(keepingCapacity: true)
        towers = TowerCounts()
    }
}
