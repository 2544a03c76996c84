import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Ranking
import Testing

/// A three-tower model with random weights over a small catalogue, trained graph and served component side by side.
struct PreRankerTests {
    let items: ItemTable
    let users: UserTable
    let model: ThreeTowerModel
    let parameters: ParameterSet
    let encoder: FeatureEncoder
    let statistics: ActivityStatistics
    let ranker: PreRanker
    let now: Int64 = 1_700_000_000_000

    init() throws {
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
        let counts = (0..<count).map(Self.counts)
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
        ranker = try PreRanker(SafetensorsFile(path: path), items: items)
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

    private func state(_ user: UInt64) -> UserState {
        var state = UserState(user: UserKey(rawValue: user), isKnown: true, profile: [2])
        for touch in 0..<90 {
            state.record(
                Interaction(
                    item: items.keys[(touch * 37) % items.count], timeMilliseconds: now - Int64(90 - touch) * 3_600_000,
                    actions: touch % 3 == 0 ? [.impression] : [.impression, .click], watchSeconds: Float(touch % 4)))
        }
        return state
    }

    /// Scores of the training graph: one row per candidate with the user repeated, item towers computed on the spot.
    private func trainedScores(_ state: UserState, _ scene: Scene, rows: [Int]) -> [(click: Float, watch: Float)] {
        let tape = Tape(seed: 1)
        var inputs = UserInputs()
        var candidates = ItemInputs()
        var cross = CrossEncoder()
        cross.begin(state, scene, encoder: encoder, surface: statistics.surface(scene.surface))
        let names = model.specification.cross
        var features = [Float](repeating: 0, count: rows.count * names.count)
        for (place, row) in rows.enumerated() {
            inputs.append(state, scene, encoder: encoder)
            let age = FeatureEncoder.age(published: items.publishTimes[row], now: now)
            candidates.append(row: UInt32(row), age: age, columns: encoder.columns)
            let signals = ItemSignals(
                row: row, statistics: statistics, columns: encoder.columns, priors: encoder.description.priors)
            features.withUnsafeMutableBufferPointer { values in
                cross.encode(
                    row: row, signals: signals, columns: encoder.columns, features: names,
                    into: UnsafeMutableBufferPointer(rebasing: values[place * names.count..<(place + 1) * names.count]))
            }
        }
        let outputs = model.head(
            users: model.users(inputs, in: tape), items: model.items(candidates, in: tape),
            features: tape.input(features, columns: names.count), in: tape)
        return rows.indices.map { (1 / (1 + exp(-outputs.click[$0, 0])), exp(outputs.watch[$0, 0])) }
    }

    @Test(arguments: [UInt64(5), 9, 77], [UInt16(0), 1, 2, 60])
    func servedScoresAreTheTrainingGraphs(user: UInt64, surface: UInt16) {
        let (state, scene) = (state(user), Scene(timeMilliseconds: now, surface: surface))
        let rows = Array(stride(from: 299, through: 0, by: -1))
        let expected = trainedScores(state, scene, rows: rows)
        let keys = SharedBuffer(rows.map { items.keys[$0] })
        let ranked = ranker.rank(state, scene, items: keys, limit: 0)
        #expect(ranked.items.count == 300)
        let place = Dictionary(uniqueKeysWithValues: zip(keys, 0...))
        for (index, item) in ranked.items.enumerated() {
            guard let row = place[item] else {
                Issue.record("\(item) was not asked for")
                continue
            }
            #expect(abs(ranked.clickProbabilities[index] - expected[row].click) < 1e-4)
            #expect(abs(ranked.watchSeconds[index] / expected[row].watch - 1) < 1e-3)
        }
        #expect(Set(ranked.clickProbabilities).count > 200)
    }

    @Test(arguments: [0, 1, 127, 128, 129, 256, 300])
    func theUserTowerRunsOnceAndTheRestOncePerCandidate(count: Int) {
        let keys = SharedBuffer((0..<count).map { items.keys[$0] })
        let ranked = ranker.rank(state(5), Scene(timeMilliseconds: now), items: keys, limit: 10)
        #expect(ranked.towers.user == (count > 0 ? 1 : 0))
        #expect(ranked.towers.item == 0)
        #expect(ranked.towers.cross == count && ranked.towers.head == count)
        #expect(ranked.items.count == min(10, count))
    }

    @Test func unknownItemsAreCountedAndLeftOut() {
        let keys: SharedBuffer = [items.keys[3], ItemKey(rawValue: 1), items.keys[8], ItemKey(rawValue: 2)]
        let ranked = ranker.rank(state(5), Scene(timeMilliseconds: now), items: keys, limit: 0)
        #expect(ranked.unknownItems == 2)
        #expect(Set(ranked.items) == [items.keys[3], items.keys[8]])
        #expect(ranked.towers.head == 2)
    }

    private func twin(of row: Int) -> LiveItem {
        LiveItem(
            publicID: "twin \(row)", category: items.categoryNames[Int(items.categories[row])],
            author: items.authors[row], publishMilliseconds: items.publishTimes[row],
            durationSeconds: items.durations[row])
    }

    /// An item that the catalogue does not have scores as the training graph scores one with the same category, author,
    /// time and length, whose id is unknown and that was never shown.
    @Test func liveItemsAreScoredByTheirAttributes() {
        let (state, scene) = (state(5), Scene(timeMilliseconds: now, surface: 1))
        // Rows that the user has not touched; their publish times are known.
        let rows = [2, 3, 6, 299]
        let tape = Tape(seed: 1)
        var (inputs, candidates, cross) = (UserInputs(), ItemInputs(), CrossEncoder())
        cross.begin(state, scene, encoder: encoder, surface: statistics.surface(1))
        let names = model.specification.cross
        var features = [Float](repeating: 0, count: rows.count * names.count)
        for (place, row) in rows.enumerated() {
            inputs.append(state, scene, encoder: encoder)
            candidates.append(row: UInt32(row), age: 0, columns: encoder.columns, isAnonymous: true)
            var signals = ItemSignals(
                row: row, statistics: statistics, columns: encoder.columns, priors: encoder.description.priors)
            (signals.itemLogOdds, signals.logImpressions, signals.logWatch) = (0, 0, log1p(20))
            features.withUnsafeMutableBufferPointer { values in
                cross.encode(
                    row: row, signals: signals, columns: encoder.columns, features: names,
                    into: UnsafeMutableBufferPointer(rebasing: values[place * names.count..<(place + 1) * names.count]))
            }
        }
        let outputs = model.head(
            users: model.users(inputs, in: tape), items: model.items(candidates, in: tape),
            features: tape.input(features, columns: names.count), in: tape)
        let twins = rows.map(twin)
        let ranked = ranker.rank(state, scene, items: SharedBuffer(twins.map(\.key)), live: twins, limit: 0)
        #expect(ranked.items.count == rows.count && ranked.unknownItems == 0)
        for (place, item) in ranked.items.enumerated() {
            guard let row = twins.firstIndex(where: { $0.key == item }) else { continue }
            #expect(abs(ranked.clickProbabilities[place] - 1 / (1 + exp(-outputs.click[row, 0]))) < 1e-4)
            #expect(abs(ranked.watchSeconds[place] / exp(outputs.watch[row, 0]) - 1) < 1e-3)
        }
    }

    @Test func theItemTowerOfALiveItemRunsOnce() {
        let twins = (1...3).map(twin)
        let keys = SharedBuffer([items.keys[9]] + twins.map(\.key) + [ItemKey(rawValue: 2)])
        func rank(_ live: [LiveItem]) -> RankedItems {
            ranker.rank(state(5), Scene(timeMilliseconds: now), items: keys, live: live, limit: 0)
        }
        let first = rank(twins)
        #expect(first.towers.item == 3 && first.towers.head == 4 && first.unknownItems == 1)
        let second = rank(twins)
        #expect(second.towers.item == 0 && second.items == first.items && second.scores == first.scores)
        var changed = twins
        changed[0].category = "e"
        #expect(rank(changed).towers.item == 1)
        #expect(rank([]).unknownItems == 4)
    }

    @Test func theOrderIsByScoreThenKeyAndRepeatable() {
        let scene = Scene(timeMilliseconds: now, surface: 1)
        let ranked = ranker.rank(state(9), scene, items: items.keys, limit: 0)
        for index in ranked.items.indices.dropFirst() {
            let (left, right) = (ranked.scores[index - 1], ranked.scores[index])
            #expect(left > right || (left == right && ranked.items[index - 1] < ranked.items[index]))
        }
        let shuffled = SharedBuffer(items.keys.reversed())
        #expect(ranker.rank(state(9), scene, items: shuffled, limit: 0) == ranked)
        let best = ranker.rank(state(9), scene, items: items.keys, limit: 7)
        #expect(best.items == Array(ranked.items.prefix(7)) && best.scores == Array(ranked.scores.prefix(7)))
    }

    /// By hand: 0.25^1 * (1 + 0.5 * 30)^0.5 = 0.25 * 4 = 1; 0.25^2 = 0.0625.
    @Test func fusionIsAProductOfPowers() {
        let fusion = FusionSpecification(clickPower: 1, watchWeight: 0.5, watchPower: 0.5)
        #expect(abs(fusion.score(click: 0.25, watchSeconds: 30) - 1) < 1e-6)
        #expect(
            FusionSpecification(clickPower: 2, watchWeight: 1, watchPower: 0).score(click: 0.25, watchSeconds: 9)
                == 0.0625)
    }

    @Test func aComponentOfAnotherCatalogueIsRefused() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "prerank-\(UUID()).safetensors").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let sizes = TableSizes(users: users, items: items, columns: encoder.columns, surfaceCount: 3)
        try ModelComponents.preRank(
            ModelDescription(specification: model.specification, features: encoder.description, sizes: sizes),
            model: model, parameters: parameters, users: users, columns: encoder.columns, statistics: statistics,
            dataUntil: now
        ).write(to: path)
        let file = try SafetensorsFile(path: path)
        var other = items
        other.keys = items.keys[shared: 0..<299]
        other.categories = items.categories[shared: 0..<299]
        other.authors = items.authors[shared: 0..<299]
        other.publishTimes = items.publishTimes[shared: 0..<299]
        other.durations = items.durations[shared: 0..<299]
        #expect(throws: ModelError.self) { try PreRanker(file, items: other) }
    }
}
