public import Catalog
import Kernels

/// Negatives for logs that hold only what users did (ratings, purchases), never what they passed by.
///
/// Beside each click stand `perClick` rows of the same user and scene without any action: half of their items
/// are drawn uniformly from the catalogue, half as often as they were clicked, so that neither popularity alone nor its
/// absence tells the classes apart. Items the user clicks anywhere in the log are drawn again. Rates learned from
/// such rows are rates against these negatives, not click rates.
public struct NegativeSampling: Sendable {
    public var perClick: Int
    public var seed: UInt64

    public init(perClick: Int = 4, seed: UInt64) {
        self.perClick = perClick
        self.seed = seed
    }

    /// What a reader of figures must know of sampled rows.
    static let description =
        "negatives were sampled, half uniformly and half as often as items were clicked, never items the user clicks."

    /// Draws again at most this often before an item is left out.
    private static let attemptsMax = 10

    /// The log with its sampled rows, each right after its click; the log itself when it has negatives.
    ///
    /// - Complexity: O(rows * perClick) expected, and memory of as many rows.
    public func apply(_ dataset: Dataset) -> Dataset {
        let log = dataset.exposures
        guard !log.hasNegatives, dataset.items.count > 1 else { return dataset }
        var generator = SeededGenerator(seed: seed, stream: 0x6e65_6761)
        let clicked = clickedPairs(log)
        let popular = log.users.indices.filter { Actions(rawValue: log.actions[$0]).contains(.click) }
        var columns = ExposureColumns(capacity: log.count + popular.count * perClick)
        for row in log.users.indices {
            columns.append(log, row)
            guard Actions(rawValue: log.actions[row]).contains(.click) else { continue }
            for place in 0..<perClick {
                for _ in 0..<Self.attemptsMax {
                    let item =
                        place.isMultiple(of: 2)
                        ? UInt32.random(in: 0..<UInt32(dataset.items.count), using: &generator)
                        : log.items[popular[Int.random(in: popular.indices, using: &generator)]]
                    guard !clicked.contains(UInt64(log.users[row]) << 32 | UInt64(item)) else { continue }
                    columns.appendNegative(beside: row, item: item)
                    break
                }
            }
        }
        var sampled = dataset
        sampled.exposures = columns.table(like: log)
        return sampled
    }

    private func clickedPairs(_ log: ExposureTable) -> Set<UInt64> {
        var pairs: Set<UInt64> = []
        for row in log.users.indices where Actions(rawValue: log.actions[row]).contains(.click) {
            pairs.insert(UInt64(log.users[row]) << 32 | UInt64(log.items[row]))
        }
        return pairs
    }
}

/// An exposure table in the making.
private struct ExposureColumns {
    /// Of the log: whose user and scene a row has.
    private var rows: [Int] = []
    private var items: [UInt32] = []
    private var actions: [UInt16] = []
    private var watchSeconds: [Float] = []

    init(capacity: Int) {
        rows.reserveCapacity(capacity)
        items.reserveCapacity(capacity)
        actions.reserveCapacity(capacity)
        watchSeconds.reserveCapacity(capacity)
    }

    mutating func append(_ log: ExposureTable, _ row: Int) {
        append(row, item: log.items[row], actions: log.actions[row], watch: log.watchSeconds[row])
    }

    mutating func appendNegative(beside row: Int, item: UInt32) {
        append(row, item: item, actions: 0, watch: 0)
    }

    private mutating func append(_ row: Int, item: UInt32, actions: UInt16, watch: Float) {
        rows.append(row)
        items.append(item)
        self.actions.append(actions)
        watchSeconds.append(watch)
    }

    func table(like log: ExposureTable) -> ExposureTable {
        var table = log.subset(rows)
        table.items = SharedBuffer(items)
        table.actions = SharedBuffer(actions)
        table.watchSeconds = SharedBuffer(watchSeconds)
        return table
    }
}
