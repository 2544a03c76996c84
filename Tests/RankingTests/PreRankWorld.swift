import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Ranking

/// A three-tower model with random weights over a small catalogue, trained graph and served component side by side.
struct PreRankWorld {
    let items: ItemTable
    let users: UserTable
    let model: ThreeTowerModel
    let parameters: ParameterSet
    let encoder: FeatureEncoder
    let statistics: ActivityStatistics
    let net: PreRankNet
    let preRanker: PreRanker
    let now: Int64 = 1_700_000_000_000

    /// - Parameter shown: what happened to items besides, by row.
    init(shown: [Int: ActivityCounts] = [:]) throws {
        let count = 300
        items = ItemTable(
            keys: SharedBuffer((0..<count).map { ItemKey(rawValue: UInt64(1_000 + 3 * $0)) }),
            publicIDs: StringTable((0..<count).map { String(1_000 + 3 * $0) }),
            titles: StringTable((0..<count).map { "item \($0)" }),
            categories: SharedBuffer((0..<count).map { UInt32($0 % 6) }),
            categoryNames: StringTable(["", "a", "b", "c", "d", "e"]),
            authors: SharedBuffer((0..<count).map { UInt64($0 % 40) }),
            publishTimes: SharedBuffer((0..<count).map(Self.published)),
            durations: SharedBuffer((0..<count).map { Float($0 % 90) }))
        users = UserTable(
            keys: [UserKey(rawValue: 5), UserKey(rawValue: 9)], publicIDs: StringTable(["5", "9"]),
            fields: [CategoricalField(name: "age", vocabulary: StringTable(["", "young", "old"]), values: [1, 2])])
        let columns = ItemFeatureColumns(items)
        var counts = (0..<count).map(Self.counts)
        for (row, more) in shown { counts[row].add(more) }
        let surfaces = [
            ActivityCounts(), ActivityCounts(impressions: 900, clicks: 300, watchSeconds: 3_000),
            ActivityCounts(impressions: 90, clicks: 10, watchSeconds: 300),
        ]
        statistics = ActivityStatistics(columns: columns, items: counts, surfaces: surfaces)
        let prior = BetaPrior(a: 2, b: 5)
        let features = FeatureDescription(
            priors: RatePriors(
                item: prior, category: prior, author: prior, surface: prior, user: prior, watchSecondsPerClick: 20),
            profileSizes: [3], surfaceCount: surfaces.count)
        var specification = ThreeTowerSpecification()
        specification.recentItems = 20
        let sizes = TableSizes(users: users, items: items, columns: columns, surfaceCount: surfaces.count)
        parameters = ParameterSet(seed: 11)
        model = try ThreeTowerModel(specification, sizes: sizes, in: parameters)
        // Ids start at zero: give every parameter values that matter.
        var generator = SeededGenerator(seed: 3)
        for parameter in parameters.all {
            let fresh = parameter.array.map { $0 + 0.3 * Float(generator.normal()) }
            parameter.assign(fresh)
        }
        encoder = FeatureEncoder(
            columns: columns, itemIndex: KeyIndex(items.keys), userIndex: KeyIndex(users.keys), description: features,
            recentItems: specification.recentItems)
        let path = FileManager.default.temporaryDirectory.appending(path: "prerank-\(UUID()).safetensors").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try ModelComponents.preRank(
            ModelDescription(specification: specification, features: features, sizes: sizes), model: model,
            parameters: parameters, users: users, columns: columns, statistics: statistics, dataUntil: now
        ).write(to: path)
        net = try PreRankNet(SafetensorsFile(path: path), items: items)
        preRanker = try PreRanker(net: net, version: "v1", clock: LogClock(dataUntil: now))
    }

    /// Every fifth publish time is unknown.
    private static func published(_ row: Int) -> Int64 {
        row % 5 == 0 ? 0 : Int64(1_690_000_000_000 + row * 1_000_000)
    }

    private static func counts(_ row: Int) -> ActivityCounts {
        let impressions = Float(row % 50)
        return ActivityCounts(
            impressions: impressions, clicks: (impressions / 3).rounded(), watchSeconds: Float(row % 70))
    }

    func state(_ user: UInt64) -> UserState {
        var state = UserState(user: UserKey(rawValue: user), isKnown: true, profile: [2])
        for touch in 0..<90 {
            state.record(
                Interaction(
                    item: items.keys[(touch * 37) % items.count], timeMilliseconds: now - Int64(90 - touch) * 3_600_000,
                    actions: touch % 3 == 0 ? [.impression] : [.impression, .click], watchSeconds: Float(touch % 4)))
        }
        return state
    }
}
