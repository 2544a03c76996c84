public import Catalog
import Kernels

extension UserStateTable {
    /// The table of `states`, whatever their order.
    ///
    /// - Parameters:
    ///   - states: one per user; each profile has one value per field.
    ///   - fieldNames: names of the profile's fields.
    public init(_ states: [UserState], fieldNames: [String]) {
        let states = states.sorted { $0.user < $1.user }
        precondition(states.allSatisfy { $0.profile.count == fieldNames.count }, "a profile has one value per field")
        self.init(
            keys: SharedBuffer(states.map(\.user)), profiles: SharedBuffer(states.flatMap(\.profile)),
            fieldNames: StringTable(fieldNames), impressions: SharedBuffer(states.map(\.impressions)),
            clicks: SharedBuffer(states.map(\.clicks)), watchSeconds: SharedBuffer(states.map(\.watchSeconds)),
            history: History(states.map(\.recent)))
    }

    /// The states of a data set's users at the end of its log.
    ///
    /// A row without any action bit is a sampled negative and leaves the user's state alone, as in training's replay.
    ///
    /// - Complexity: O(users + exposures).
    public init(_ dataset: Dataset) {
        var states = dataset.users.keys.indices.map { row in
            UserState(
                user: dataset.users.keys[row], isKnown: true, profile: dataset.users.fields.map { $0.values[row] })
        }
        let log = dataset.exposures
        for row in 0..<log.count where log.actions[row] != 0 {
            states[Int(log.users[row])].record(
                Interaction(
                    item: dataset.items.keys[Int(log.items[row])], timeMilliseconds: log.times[row],
                    actions: Actions(rawValue: log.actions[row]), watchSeconds: log.watchSeconds[row]))
        }
        self.init(states, fieldNames: dataset.users.fields.map(\.name))
    }
}

extension UserStateTable.History {
    init(_ histories: [[Interaction]]) {
        var offsets: [UInt64] = [0]
        for history in histories { offsets.append(offsets[offsets.count - 1] + UInt64(history.count)) }
        let recent = histories.joined()
        self.init(
            offsets: SharedBuffer(offsets), items: SharedBuffer(recent.map(\.item)),
            times: SharedBuffer(recent.map(\.timeMilliseconds)),
            actions: SharedBuffer(recent.map(\.actions.rawValue)),
            watchSeconds: SharedBuffer(recent.map(\.watchSeconds)))
    }
}
