public import Catalog
public import Kernels

/// What a snapshot knows of every user: profiles, last-n and counts as they stood when its training log ended.
///
/// Columns, ascending by user key; histories are ragged rows cut by `offsets`. They stay in the mapped file: a
/// `UserState` is made when a request asks for it.
public struct UserStateTable: Sendable {
    var keys: SharedBuffer<UserKey>
    /// `[U, F]`, row-major.
    var profiles: SharedBuffer<UInt32>
    var fieldNames: StringTable
    var impressions: SharedBuffer<Float>
    var clicks: SharedBuffer<Float>
    var watchSeconds: SharedBuffer<Float>
    var history: History
    private let index: KeyIndex

    /// Last-n of all users, end to end, oldest first.
    struct History: Sendable {
        /// `[U + 1]`.
        var offsets: SharedBuffer<UInt64>
        var items: SharedBuffer<ItemKey>
        var times: SharedBuffer<Int64>
        var actions: SharedBuffer<UInt16>
        var watchSeconds: SharedBuffer<Float>
    }

    init(
        keys: SharedBuffer<UserKey>, profiles: SharedBuffer<UInt32>, fieldNames: StringTable,
        impressions: SharedBuffer<Float>, clicks: SharedBuffer<Float>, watchSeconds: SharedBuffer<Float>,
        history: History
    ) {
        self.keys = keys
        self.profiles = profiles
        self.fieldNames = fieldNames
        self.impressions = impressions
        self.clicks = clicks
        self.watchSeconds = watchSeconds
        self.history = history
        index = KeyIndex(keys)
    }

    public var count: Int { keys.count }

    /// The profile of a user, a value for each field; nil for one the table does not have.
    public func profile(of user: UserKey) -> SharedBuffer<UInt32>? {
        let fields = fieldNames.count
        return index.row(of: user).map { profiles[shared: $0 * fields..<($0 + 1) * fields] }
    }

    public var fieldCount: Int { fieldNames.count }

    /// The state of a user as of the snapshot; one of whom nothing is known when he is not in the table.
    ///
    /// - Complexity: O(last-n + fields).
    public func state(of user: UserKey) -> UserState {
        let fields = fieldNames.count
        guard let row = index.row(of: user) else {
            return UserState(user: user, isKnown: false, profile: [UInt32](repeating: 0, count: fields))
        }
        let recent = (Int(history.offsets[row])..<Int(history.offsets[row + 1])).map { position in
            Interaction(
                item: history.items[position], timeMilliseconds: history.times[position],
                actions: Actions(rawValue: history.actions[position]), watchSeconds: history.watchSeconds[position])
        }
        return UserState(
            user: user, isKnown: true, profile: Array(profiles[shared: row * fields..<(row + 1) * fields]),
            recent: recent, impressions: impressions[row], clicks: clicks[row], watchSeconds: watchSeconds[row])
    }
}
