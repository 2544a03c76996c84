public import Catalog
import Kernels

/// like(u, i) of users and items before a moment: a sparse matrix kept by user and by item.
///
/// A user's showings of one item count together: the union of what he did. Items are rows of the item table, users
/// rows of the user table. Memory: 10 bytes a touched (user, item) pair, 8 a user and an item.
public struct InterestMatrix: Sendable {
    /// Row u spans `byUser.offsets[u]..<byUser.offsets[u + 1]`: the items user u likes, most recently touched first.
    package let byUser: SparseRows
    /// Row i: the users who like item i, ascending.
    package let byItem: SparseRows
    /// Users whose history was cut, and how many showings were left out by that.
    public let cappedUsers: Int
    public let droppedShowings: Int
    private let historyMax: Int

    /// Which pairs of user and item are kept.
    public enum Observed: Sendable {
        case liked
        /// Those shown and not liked too, with 0.
        case shown
    }

    /// The cap and what it cut, for the manifest.
    var figures: [String: Double] {
        [
            "history_max": Double(historyMax), "capped_users": Double(cappedUsers),
            "dropped_showings": Double(droppedShowings),
        ]
    }

    public var pairs: Int { byUser.columns.count }

    /// - Parameters:
    ///   - until: showings at or after this moment (milliseconds since 1970) do not count; nil takes all.
    ///   - historyMax: most recently touched items kept per user; one user adds historyMax^2 pairs of items.
    ///   - observed: what counts as touched.
    /// - Complexity: O(showings + users + items).
    public init(_ dataset: Dataset, until: Int64? = nil, historyMax: Int = 500, observed: Observed = .liked) {
        precondition(historyMax > 0, "a history holds at least one item")
        let exposures = dataset.exposures
        let end = until.map { exposures.firstRow(notBefore: $0) } ?? exposures.count
        let users = dataset.users.count
        let items = dataset.items.count
        let touched = exposures.touched(before: end, users: users, observed)

        var builder = SparseRows.Builder(rows: users, capacity: touched.columns.count)
        var itemSlots = [Int](repeating: -1, count: items)
        var capped = 0
        var dropped = 0
        for user in 0..<users {
            let first = builder.count
            var overflow = 0
            for entry in touched.range(user).reversed() {
                let exposure = Int(touched.columns[entry])
                let item = Int(exposures.items[exposure])
                let slot = itemSlots[item]
                if slot >= first {
                    builder.merge(exposures.actions[exposure], at: slot)
                } else if builder.count - first < historyMax {
                    itemSlots[item] = builder.append(item, exposures.actions[exposure])
                } else {
                    overflow += 1
                }
            }
            builder.endRow()
            capped += overflow > 0 ? 1 : 0
            dropped += overflow
        }
        byUser = builder.finish()
        byItem = byUser.transposed(columns: items)
        self.historyMax = historyMax
        cappedUsers = capped
        droppedShowings = dropped
    }

    /// A matrix that is there already.
    package init(byUser: SparseRows, items: Int) {
        self.byUser = byUser
        byItem = byUser.transposed(columns: items)
        historyMax = (0..<byUser.rows).reduce(0) { max($0, byUser.range($1).count) }
        cappedUsers = 0
        droppedShowings = 0
    }
}

extension ExposureTable {
    /// The showings that count among the first `end`, by user, oldest first.
    fileprivate func touched(
        before end: Int, users userCount: Int, _ observed: InterestMatrix.Observed
    ) -> (columns: [UInt32], range: (Int) -> Range<Int>) {
        func counts(_ row: Int) -> Bool { observed == .shown || Actions(rawValue: actions[row]).interest > 0 }
        var offsets = [Int](repeating: 0, count: userCount + 1)
        for row in 0..<end where counts(row) { offsets[Int(users[row]) + 1] += 1 }
        for user in 0..<userCount { offsets[user + 1] += offsets[user] }
        var columns = [UInt32](repeating: 0, count: offsets[userCount])
        var next = offsets
        for row in 0..<end where counts(row) {
            let user = Int(users[row])
            columns[next[user]] = UInt32(row)
            next[user] += 1
        }
        return (columns, { [offsets] in offsets[$0]..<offsets[$0 + 1] })
    }
}
