public import Catalog
import Kernels
package import VectorIndex

/// What the channels of one request write to. Kept by the engine and reused, so that recalling allocates nothing per
/// candidate.
// Sendable: the engine hands it to one request at a time.
public final class RecallScratch: @unchecked Sendable {
    /// ``RecallQuery/excludedItems``, filled by the engine before the channels run.
    package var excluded = KeySet()
    let search = SearchScratch()
    /// Keys of the triggers, for the channels that use them.
    var triggers = KeySet()
    /// A score for each row of a channel's own item table; all zero between channels.
    private(set) var sums: [Float] = []
    /// Rows of `sums` that are not zero.
    private(set) var touched: [UInt32] = []

    public init() {}

    /// Whether the request does not want the item.
    public func excludes(_ item: ItemKey) -> Bool {
        excluded.contains(item.rawValue)
    }

    func exclude(_ items: SharedBuffer<ItemKey>) {
        excluded.removeAll(reserving: items.count)
        for item in items { excluded.insert(item.rawValue) }
    }

    /// Makes room for sums over `rows` rows.
    func reserve(rows: Int) {
        if sums.count < rows { sums.append(contentsOf: repeatElement(0, count: rows - sums.count)) }
    }

    /// - Parameter score: positive.
    @inline(__always)
    func add(_ score: Float, to row: UInt32) {
        if sums[Int(row)] == 0 { touched.append(row) }
        sums[Int(row)] += score
    }

    /// Calls `body` with every touched row and its sum, and leaves all sums zero.
    @inline(__always)
    func drain(_ body: (UInt32, Float) -> Void) {
        for row in touched {
            body(row, sums[Int(row)])
            sums[Int(row)] = 0
        }
        touched.removeAll(keepingCapacity: true)
    }
}

extension Candidates {
    init(_ best: [Scored]) {
        self.init(
            items: SharedBuffer(best.lazy.map { ItemKey(rawValue: $0.id) }),
            scores: SharedBuffer(best.lazy.map(\.score)))
    }
}
