import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Ranking
import Testing

struct PreRankerTests {
    private let world: PreRankWorld
    private let ranker: Ranker

    init() throws {
        world = try PreRankWorld()
        ranker = try Ranker(world.preRanker)
    }

    private var items: ItemTable { world.items }
    private var model: ThreeTowerModel { world.model }
    private var encoder: FeatureEncoder { world.encoder }
    private var statistics: ActivityStatistics { world.statistics }
    private var now: Int64 { world.now }

    private func state(_ user: UInt64) -> UserState { world.state(user) }

    /// All of the candidates in the pre-ranker's order.
    private func rank(
        _ state: UserState, _ scene: Scene, items: SharedBuffer<ItemKey>, live: [LiveItem] = [], limit: Int
    ) -> RankedItems {
        var query = RankingQuery(state, scene, items: items)
        (query.live, query.limit, query.cut) = (live, limit, PreRankCut(keep: 0))
        return ranker.rank(query).items
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
        let ranked = rank(state, scene, items: keys, limit: 0)
        #expect(ranked.items.count == 300)
        let (clicks, seconds) = (ranked.predictions(of: "click") ?? [], ranked.predictions(of: "watch_time") ?? [])
        let place = Dictionary(uniqueKeysWithValues: zip(keys, 0...))
        for (index, item) in ranked.items.enumerated() {
            guard let row = place[item] else {
                Issue.record("\(item) was not asked for")
                continue
            }
            #expect(abs(clicks[index] - expected[row].click) < 1e-4)
            #expect(abs(seconds[index] / expected[row].watch - 1) < 1e-3)
        }
        #expect(Set(clicks).count > 200)
    }

    @Test(arguments: [0, 1, 127, 128, 129, 256, 300])
    func theUserTowerRunsOnceAndTheRestOncePerCandidate(count: Int) {
        let keys = SharedBuffer((0..<count).map { items.keys[$0] })
        let ranked = rank(state(5), Scene(timeMilliseconds: now), items: keys, limit: 10)
        #expect(ranked.towers.user == (count > 0 ? 1 : 0))
        #expect(ranked.towers.item == 0)
        #expect(ranked.towers.cross == count && ranked.towers.head == count)
        #expect(ranked.items.count == min(10, count))
    }

    @Test func unknownItemsAreCountedAndLeftOut() {
        let keys: SharedBuffer = [items.keys[3], ItemKey(rawValue: 1), items.keys[8], ItemKey(rawValue: 2)]
        let ranked = rank(state(5), Scene(timeMilliseconds: now), items: keys, limit: 0)
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
        let ranked = rank(state, scene, items: SharedBuffer(twins.map(\.key)), live: twins, limit: 0)
        #expect(ranked.items.count == rows.count && ranked.unknownItems == 0)
        for (place, item) in ranked.items.enumerated() {
            guard let row = twins.firstIndex(where: { $0.key == item }) else { continue }
            #expect(abs(ranked.predictions[2 * place] - 1 / (1 + exp(-outputs.click[row, 0]))) < 1e-4)
            #expect(abs(ranked.predictions[2 * place + 1] / exp(outputs.watch[row, 0]) - 1) < 1e-3)
        }
    }

    @Test func theItemTowerOfALiveItemRunsOnce() {
        let twins = (1...3).map(twin)
        let keys = SharedBuffer([items.keys[9]] + twins.map(\.key) + [ItemKey(rawValue: 2)])
        func rank(_ live: [LiveItem]) -> RankedItems {
            self.rank(state(5), Scene(timeMilliseconds: now), items: keys, live: live, limit: 0)
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
        let ranked = rank(state(9), scene, items: items.keys, limit: 0)
        for index in ranked.items.indices.dropFirst() {
            let (left, right) = (ranked.scores[index - 1], ranked.scores[index])
            #expect(left > right || (left == right && ranked.items[index - 1] < ranked.items[index]))
        }
        let shuffled = SharedBuffer(items.keys.reversed())
        #expect(rank(state(9), scene, items: shuffled, limit: 0) == ranked)
        let best = rank(state(9), scene, items: items.keys, limit: 7)
        #expect(best.items == Array(ranked.items.prefix(7)) && best.scores == Array(ranked.scores.prefix(7)))
    }

    @Test func aComponentOfAnotherCatalogueIsRefused() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "prerank-\(UUID()).safetensors").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let sizes = TableSizes(users: world.users, items: items, columns: encoder.columns, surfaceCount: 3)
        try ModelComponents.preRank(
            ModelDescription(specification: model.specification, features: encoder.description, sizes: sizes),
            model: model, parameters: world.parameters, users: world.users, columns: encoder.columns,
            statistics: statistics,
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
