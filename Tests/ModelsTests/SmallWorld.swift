import Catalog
import Features
import Kernels

/// Mixes a counter: enough randomness for a test's data.
struct CountingGenerator: RandomNumberGenerator {
    var count: UInt64

    mutating func next() -> UInt64 {
        count &+= 1
        return PublicID.mixed(count)
    }
}

/// A small data set with a fixed pattern: users prefer the category of their own number, with noise.
enum SmallWorld {
    /// Finds the users and items of a world of this kind, by the priors of its log.
    static func base(_ dataset: Dataset) -> FeatureEncoder {
        let columns = ItemFeatureColumns(dataset.items)
        return FeatureEncoder(
            columns: columns, itemIndex: KeyIndex(dataset.items.keys), userIndex: KeyIndex(dataset.users.keys),
            description: FeatureDescription(
                priors: RatePriors(
                    exposures: dataset.exposures, rows: 0..<dataset.exposures.count, userCount: dataset.users.count,
                    columns: columns), profileSizes: dataset.users.fields.map(\.vocabulary.count), surfaceCount: 2),
            recentItems: 5)
    }

    static func dataset(users: Int = 12, items: Int = 30, rows: Int = 600, seed: UInt64 = 7) -> Dataset {
        var generator = CountingGenerator(count: seed)
        let categories = 3
        let itemTable = ItemTable(
            keys: SharedBuffer((0..<items).map { ItemKey(rawValue: UInt64(100 + $0 * 7)) }),
            publicIDs: StringTable((0..<items).map { String(100 + $0 * 7) }),
            titles: StringTable((0..<items).map { "item \($0)" }),
            categories: SharedBuffer((0..<items).map { UInt32($0 % categories + 1) }),
            categoryNames: StringTable(["", "a", "b", "c"]),
            authors: SharedBuffer((0..<items).map { UInt64($0 % 5) }),
            publishTimes: SharedBuffer((0..<items).map { Int64(1_000_000_000_000 + $0 * 3_600_000) }),
            durations: SharedBuffer((0..<items).map { Float($0 % 7) * 20 }))
        let userTable = UserTable(
            keys: SharedBuffer((0..<users).map { UserKey(rawValue: UInt64($0 + 1)) }),
            publicIDs: StringTable((0..<users).map { String($0 + 1) }),
            fields: [
                CategoricalField(
                    name: "group", vocabulary: StringTable(["", "x", "y"]),
                    values: SharedBuffer((0..<users).map { UInt32($0 % 3) }))
            ])
        var columns = Columns()
        for row in 0..<rows {
            let user = Int.random(in: 0..<users, using: &generator)
            let item = Int.random(in: 0..<items, using: &generator)
            let likes = item % categories == user % categories
            let clicked = Float.random(in: 0..<1, using: &generator) < (likes ? 0.8 : 0.15)
            // Two rows share each millisecond.
            columns.append(
                user: user, item: item, time: 1_700_000_000_000 + Int64(row / 2) * 60_000,
                actions: clicked ? [.impression, .click] : [.impression], watch: clicked ? Float(item % 7) * 10 : 1,
                surface: row % 2)
        }
        var exposures = columns.table
        exposures.contexts = [
            context("device", ["", "phone", "tv", "watch"], rows: rows),
            context("geohash", ["", "u4xsu", "u4xeg"], rows: rows),
        ]
        return Dataset(name: "small", users: userTable, items: itemTable, exposures: exposures)
    }

    /// A context field whose values take turns, the unknown one among them.
    private static func context(_ name: String, _ vocabulary: [String], rows: Int) -> CategoricalField {
        CategoricalField(
            name: name, vocabulary: StringTable(vocabulary),
            values: SharedBuffer((0..<rows).map { UInt32($0 % vocabulary.count) }))
    }

    struct Columns {
        var users: [UInt32] = []
        var items: [UInt32] = []
        var times: [Int64] = []
        var actions: [UInt16] = []
        var watch: [Float] = []
        var surfaces: [UInt16] = []
        var contexts: [CategoricalField] = []

        init() {}

        init(_ table: ExposureTable) {
            users = Array(table.users)
            items = Array(table.items)
            times = Array(table.times)
            actions = Array(table.actions)
            watch = Array(table.watchSeconds)
            surfaces = Array(table.surfaces)
            contexts = table.contexts
        }

        mutating func append(user: Int, item: Int, time: Int64, actions: Actions, watch: Float, surface: Int) {
            users.append(UInt32(user))
            items.append(UInt32(item))
            times.append(time)
            self.actions.append(actions.rawValue)
            self.watch.append(watch)
            surfaces.append(UInt16(surface))
        }

        var table: ExposureTable {
            ExposureTable(
                users: SharedBuffer(users), items: SharedBuffer(items), times: SharedBuffer(times),
                actions: SharedBuffer(actions), watchSeconds: SharedBuffer(watch), surfaces: SharedBuffer(surfaces),
                surfaceNames: StringTable(["", "feed"]), contexts: contexts, hasNegatives: true)
        }
    }
}
