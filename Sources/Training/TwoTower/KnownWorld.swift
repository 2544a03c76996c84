import Blobs
import Catalog
import FeatureStore
import Features
import Kernels
import Models
import Snapshots

/// The users and items of a snapshot, and logs told in its rows.
struct KnownWorld {
    let columns: ItemFeatureColumns
    let encoder: FeatureEncoder
    /// `[U]`, users as they were when the full run's log ended.
    let states: [UserState]
    /// That moment, milliseconds since 1970: no earlier row is to be replayed.
    let statesUntil: Int64
    private let items: ItemTable
    private let users: UserTable
    private let vocabulary: ModelVocabulary

    /// - Complexity: O(users * last-n + items).
    init(_ components: StoredComponents, _ model: TrainedTwoTower) throws {
        items = try ItemTable(components.open("catalog"))
        columns = ItemFeatureColumns(items)
        let keys = model.userKeys.reinterpreted(as: UserKey.self)
        users = UserTable(keys: keys, publicIDs: StringTable(keys.map { _ in "" }), fields: [])
        let specification = model.description.specification
        encoder = FeatureEncoder(
            columns: columns, itemIndex: KeyIndex(items.keys), userIndex: KeyIndex(keys),
            description: model.description.features, recentItems: specification.recentItems,
            lists: specification.user.lists)
        let table = try UserStateTable(components.open(UserStateTable.componentKind))
        states = keys.map { table.state(of: $0) }
        statesUntil = try components.fullRun().dataUntilMilliseconds
        vocabulary = model.state.vocabulary
    }

    /// The rows of a data set after a moment, as far as they are of users and items that are known.
    ///
    /// - Returns: the log, and how many newer rows are of others.
    /// - Complexity: O(rows).
    func log(of other: Dataset, after milliseconds: Int64) -> (dataset: Dataset, unknown: Int) {
        let log = other.exposures
        let userRows = other.users.keys.map { encoder.userIndex.row(of: $0).map(UInt32.init) }
        let itemRows = other.items.keys.map { encoder.itemIndex.row(of: $0).map(UInt32.init) }
        let newer = log.firstRow(after: milliseconds)..<log.count
        let rows = newer.filter { userRows[Int(log.users[$0])] != nil && itemRows[Int(log.items[$0])] != nil }
        let surfaces = vocabulary.surfaces(log.surfaceNames)
        let exposures = ExposureTable(
            users: SharedBuffer(rows.map { userRows[Int(log.users[$0])] ?? 0 }),
            items: SharedBuffer(rows.map { itemRows[Int(log.items[$0])] ?? 0 }),
            times: SharedBuffer(rows.map { log.times[$0] }), actions: SharedBuffer(rows.map { log.actions[$0] }),
            watchSeconds: SharedBuffer(rows.map { log.watchSeconds[$0] }),
            surfaces: SharedBuffer(rows.map { surfaces[Int(log.surfaces[$0])] }),
            // Named by number alone here: who serves has the names of the snapshot.
            surfaceNames: StringTable((0...Int(surfaces.max() ?? 0)).map { $0 == 0 ? "" : String($0) }),
            hasNegatives: log.hasNegatives)
        let dataset = Dataset(
            name: other.name, users: users, items: items, exposures: exposures,
            rejected: rejected(other, userRows, itemRows))
        return (dataset, newer.count - rows.count)
    }

    /// Candidates that are no hard negatives by what the data set has of older rows are left out: the log here does not.
    private func rejected(_ other: Dataset, _ users: [UInt32?], _ items: [UInt32?]) -> RejectedTable {
        let table = other.rejected
        let met = RejectedCandidates.met(table, 0..<table.count, other.exposures, 0..<other.exposures.count)
        let rows = (0..<table.count).filter {
            users[Int(table.users[$0])] != nil && items[Int(table.items[$0])] != nil
                && !met.contains(RejectedCandidates.pair(table.users[$0], table.items[$0]))
        }
        return RejectedTable(
            users: SharedBuffer(rows.map { users[Int(table.users[$0])] ?? 0 }),
            items: SharedBuffer(rows.map { items[Int(table.items[$0])] ?? 0 }),
            times: SharedBuffer(rows.map { table.times[$0] }))
    }
}
