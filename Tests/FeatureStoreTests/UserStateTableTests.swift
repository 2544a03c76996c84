import Blobs
import Catalog
import FeatureStore
import Foundation
import Kernels
import Testing

@Suite struct UserStateTableTests {
    private func key(_ value: UInt64) -> ItemKey { ItemKey(rawValue: value) }

    /// Two users with two fields; the log has a click, a watched play, a bare showing and a sampled negative.
    private var dataset: Dataset {
        let users = UserTable(
            keys: [UserKey(rawValue: 3), UserKey(rawValue: 9)], publicIDs: StringTable(["3", "9"]),
            fields: [
                CategoricalField(name: "age", vocabulary: StringTable(["", "young", "old"]), values: [2, 1]),
                CategoricalField(name: "city", vocabulary: StringTable(["", "x"]), values: [0, 1]),
            ])
        let items = ItemTable(
            keys: [key(10), key(11)], publicIDs: StringTable(["10", "11"]), titles: StringTable(["", ""]),
            categories: [0, 0], categoryNames: StringTable([""]), authors: [0, 0], publishTimes: [0, 0],
            durations: [0, 0])
        let shown: Actions = .impression
        let exposures = ExposureTable(
            users: [1, 1, 1, 1], items: [0, 1, 0, 1], times: [100, 200, 300, 400],
            actions: SharedBuffer([shown.union(.click), shown, shown, []].map(\.rawValue)),
            watchSeconds: [0, 2.5, 0, 0], surfaces: [0, 0, 0, 0], surfaceNames: StringTable([""]), hasNegatives: true)
        return Dataset(name: "small", users: users, items: items, exposures: exposures)
    }

    private func check(_ table: UserStateTable) {
        #expect(table.count == 2)
        let silent = table.state(of: UserKey(rawValue: 3))
        #expect(silent == UserState(user: UserKey(rawValue: 3), isKnown: true, profile: [2, 0]))
        let active = table.state(of: UserKey(rawValue: 9))
        #expect(active.profile == [1, 1])
        #expect(active.impressions == 3)
        #expect(active.clicks == 1)
        #expect(active.watchSeconds == 2.5)
        #expect(
            active.recent == [
                Interaction(item: key(10), timeMilliseconds: 100, actions: [.impression, .click]),
                Interaction(item: key(11), timeMilliseconds: 200, actions: .impression, watchSeconds: 2.5),
            ])
        let stranger = table.state(of: UserKey(rawValue: 4))
        #expect(stranger == UserState(user: UserKey(rawValue: 4), isKnown: false, profile: [0, 0]))
    }

    @Test func aLogBecomesStates() {
        check(UserStateTable(dataset))
    }

    @Test func aTableSurvivesItsFile() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("users-\(UUID()).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var writer = SafetensorsWriter()
        UserStateTable(dataset).add(to: &writer)
        try writer.write(to: path)
        check(try UserStateTable(try SafetensorsFile(path: path)))
    }

    @Test func aHistoryBeyondItsColumnsIsRefused() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("users-\(UUID()).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var writer = SafetensorsWriter()
        let empty = SharedBuffer<Float>()
        writer.add("key", [1] as [UInt64])
        writer.add(strings: "field_name", bytes: [], offsets: [0])
        writer.add("profile", [] as [UInt32], shape: [1, 0])
        for name in ["impressions", "clicks", "watch_seconds"] { writer.add(name, [0] as [Float]) }
        writer.add("recent.offsets", [0, 5] as [UInt64])
        writer.add("recent.item", [] as [UInt64])
        writer.add("recent.time_ms", [] as [Int64])
        writer.add("recent.actions", [] as [UInt16])
        writer.add("recent.watch_seconds", empty)
        try writer.write(to: path)
        let file = try SafetensorsFile(path: path)
        let error = #expect(throws: BlobError.self) { try UserStateTable(file) }
        #expect(error?.message.contains("recent.offsets") == true)
    }
}
