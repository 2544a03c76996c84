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
    /// Their categories, 0 when it is not known.
    private(set) var categories: [UInt32] = []
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
    /// - Parameter liveEntry: what is needed of an item that the snapshot does not have.
    func begin(
        _ items: SharedBuffer<ItemKey>, net: PreRankNet, live attributes: [LiveItem],
        liveEntry: (LiveItem) -> LiveItemTowers.Entry
    ) {
        removeAll()
        let categories = net.encoder.columns.categories
        let missing = net.encoder.itemIndex.rows(of: items, into: &catalogueRows)
        for (place, row) in catalogueRows.enumerated() where row != KeyIndex.missing {
            rows.append(row)
            append(items[place], place, category: categories[Int(row)])
        }
        guard missing > 0 else { return }
        guard !attributes.isEmpty else { return }
        let known = Dictionary(attributes.map { ($0.key, $0) }) { first, _ in first }
        for (place, row) in catalogueRows.enumerated() where row == KeyIndex.missing {
            let item = items[place]
            guard let attributes = known[item] else { continue }
            let entry = liveEntry(attributes)
            live.append(entry)
            append(item, place, category: entry.features.category)
        }
    }

    /// Puts the candidates in order.
    func sort() {
        order.sort(fusion.scores, keys: keys)
    }

    private func append(_ item: ItemKey, _ place: Int, category: UInt32) {
        keys.append(item)
        places.append(UInt32(place))
        categories.append(category)
    }

    private func removeAll() {
        keys.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        categories.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
        live.removeAll(keepingCapacity: true)
        predictions.removeAll(keepingCapacity: true)
        towers = TowerCounts()
    }
}
