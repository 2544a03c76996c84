import Blobs
import Catalog
import Foundation
import Kernels
import Recall

/// One showing of a small world: rows of users and items.
struct Showing {
    var user: Int
    var item: Int
    var time: Int64
    var actions: Actions
}

/// A data set of `items` items and `users` users with the showings given; item i has key `key(i)`.
func world(
    users: Int, items: Int, publishTimes: [Int64]? = nil, authors: [UInt64]? = nil, places: [Place?]? = nil,
    cities: [UInt64]? = nil, qualities: [Float]? = nil, key: (Int) -> UInt64 = { UInt64($0) + 1 },
    _ showings: [Showing]
) -> Dataset {
    let sorted = showings.sorted { $0.time < $1.time }
    let names = (0..<items).map { String(key($0)) }
    return Dataset(
        name: "small",
        users: UserTable(
            keys: SharedBuffer((0..<users).map { UserKey(rawValue: UInt64($0)) }),
            publicIDs: StringTable((0..<users).map(String.init)), fields: []),
        items: ItemTable(
            keys: SharedBuffer((0..<items).map { ItemKey(rawValue: key($0)) }), publicIDs: StringTable(names),
            titles: StringTable(names), categories: SharedBuffer((0..<items).map { _ in 0 }),
            categoryNames: StringTable([""]), authors: SharedBuffer(authors ?? (0..<items).map { _ in 0 }),
            publishTimes: SharedBuffer(publishTimes ?? (0..<items).map { _ in 0 }),
            durations: SharedBuffer((0..<items).map { _ in 0 }),
            latitudes: places.map { SharedBuffer($0.map { Float($0?.latitude ?? .nan) }) },
            longitudes: places.map { SharedBuffer($0.map { Float($0?.longitude ?? .nan) }) },
            cities: cities.map { SharedBuffer($0) }, qualities: qualities.map { SharedBuffer($0) }),
        exposures: ExposureTable(
            users: SharedBuffer(sorted.map { UInt32($0.user) }), items: SharedBuffer(sorted.map { UInt32($0.item) }),
            times: SharedBuffer(sorted.map(\.time)), actions: SharedBuffer(sorted.map(\.actions.rawValue)),
            watchSeconds: SharedBuffer(sorted.map { _ in 0 }), surfaces: SharedBuffer(sorted.map { _ in 0 }),
            surfaceNames: StringTable([""]), hasNegatives: false))
}

/// The users as they are at a moment, as training and serving keep them.
func states(_ dataset: Dataset, until: Int64 = .max) -> [UserState] {
    let log = dataset.exposures
    var states = dataset.users.keys.map { UserState(user: $0, isKnown: true, profile: []) }
    for row in log.times.indices where log.times[row] < until {
        states[Int(log.users[row])].record(
            Interaction(
                item: dataset.items.keys[Int(log.items[row])], timeMilliseconds: log.times[row],
                actions: Actions(rawValue: log.actions[row])))
    }
    return states
}

/// Writes a component to a temporary file and maps it; the file may go, the mapping stays.
func mapped(_ writer: SafetensorsWriter) throws -> SafetensorsFile {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("recall-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try writer.write(to: path)
    return try SafetensorsFile(path: path)
}

func keys(_ values: [UInt64]) -> SharedBuffer<ItemKey> {
    SharedBuffer(values.map { ItemKey(rawValue: $0) })
}

extension Candidates {
    var keys: [UInt64] { items.map(\.rawValue) }
}

/// One request of one channel.
func query(
    _ channel: String, limit: Int = .max, triggers: [UInt64] = [], weights: [Float] = [],
    vector: SharedBuffer<Float> = [], excluded: [UInt64] = []
) -> RecallQuery {
    RecallQuery(
        user: UserKey(rawValue: 1), triggers: keys(triggers), triggerWeights: SharedBuffer(weights),
        channels: [ChannelRequest(channel: channel, limit: limit, input: ChannelInput(vector: vector))],
        excludedItems: keys(excluded))
}
