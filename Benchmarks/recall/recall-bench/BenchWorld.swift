import Blobs
import Catalog
import Foundation
import Kernels
import Recall
import VectorIndex

/// A seeded shard: vectors, a log with long-tailed tastes, and requests to it.
struct BenchWorld {
    let vectors: SyntheticVectors
    let dataset: Dataset
    let histories: [[Int]]

    /// Vectors more than there are requests: the indexes are tuned and measured on those.
    static let heldOut = 600
    static let authors = 5_000
    static let cities = 40

    struct Built {
        var engine: RecallShardEngine
        var index: IndexReport
        var seconds: [(String, Double)]
    }

    init(items: Int, users: Int, likes: Int, dimension: Int, queries: Int) {
        vectors = SyntheticVectors(items: items, users: queries + Self.heldOut, dimension: dimension, seed: 1)
        var random = SeededGenerator(seed: 2)
        let popularity = Weights((1...items).map { 1 / Double($0) })
        let places = (0..<items).shuffled(using: &random)
        let histories = (0..<users).map { _ in (0..<likes).map { _ in places[popularity.draw(&random)] } }
        let rows = histories.indices.flatMap { user in histories[user].map { (user, $0) } }.shuffled(using: &random)
        self.histories = histories
        let towns = (0..<items).map { _ in Int.random(in: 0..<Self.cities, using: &random) }
        let locations = towns.map { Self.place(in: $0, &random) }
        let none = SharedBuffer((0..<items).map { _ in UInt32(0) })
        dataset = Dataset(
            name: "bench",
            users: UserTable(
                keys: SharedBuffer((0..<users).map { UserKey(rawValue: UInt64($0)) }), publicIDs: StringTable([]),
                fields: []),
            items: ItemTable(
                keys: SharedBuffer((0..<items).map { ItemKey(rawValue: UInt64($0) * 8 + 3) }),
                publicIDs: StringTable([]), titles: StringTable([]), categories: none,
                categoryNames: StringTable([""]),
                authors: SharedBuffer((0..<items).map { UInt64($0 * 7 % Self.authors) + 1 }),
                publishTimes: SharedBuffer((0..<items).map { Int64($0 + 1) * 60_000 }),
                durations: SharedBuffer((0..<items).map { _ in 0 }),
                latitudes: SharedBuffer(locations.map { Float($0.latitude) }),
                longitudes: SharedBuffer(locations.map { Float($0.longitude) }),
                cities: SharedBuffer(towns.map { UInt64($0 + 1) })),
            exposures: ExposureTable(
                users: SharedBuffer(rows.map { UInt32($0.0) }), items: SharedBuffer(rows.map { UInt32($0.1) }),
                times: SharedBuffer(rows.indices.map { Int64($0) * 400 }),
                actions: SharedBuffer(
                    rows.map { _ in Actions.click.union(random.uniform() < 0.3 ? .like : []).rawValue }),
                watchSeconds: SharedBuffer(rows.map { _ in 0 }), surfaces: SharedBuffer(rows.map { _ in 0 }),
                surfaceNames: StringTable([""]), hasNegatives: false))
    }

    /// Somewhere about a town, of which no two touch.
    static func place(in town: Int, _ random: inout SeededGenerator) -> (latitude: Double, longitude: Double) {
        (Double(town / 8) * 4 + 40 + random.normal() * 0.1, Double(town % 8) * 4 + random.normal() * 0.1)
    }

    /// What is made of the log and the items' attributes.
    private func lists() -> [String: SafetensorsWriter] {
        var rules = SequenceRulesBuilder()
        rules.window = 3
        rules.neighbours = 50
        // Neighbours are the orchestrator's matter: of UserCF a shard has users' histories alone.
        let histories = PostingLists(
            InterestMatrix(dataset, historyMax: 200).byUser,
            keys: dataset.users.keys.reinterpreted(as: UInt64.self), items: dataset.items.keys)
        return [
            "itemcf": ItemCFBuilder().build(dataset).component(shard: 0, of: 1),
            "swing": SwingBuilder(usersMax: 300).build(dataset).component(shard: 0, of: 1),
            "sequence": rules.build(dataset).component(shard: 0, of: 1),
            "usercf-histories": histories.component(shard: 0, of: 1),
            "popular": RankedList.popular(dataset).component(shard: 0, of: 1),
            "newest": RankedList.newest(dataset).component(shard: 0, of: 1),
            "new-item": RankedList.underExposed(dataset).component(shard: 0, of: 1),
            "place": NewestLists.byCell(dataset).component(shard: 0, of: 1),
            "city": NewestLists.byCity(dataset).component(shard: 0, of: 1),
            "authors": NewestLists.byAuthor(dataset).component(shard: 0, of: 1),
        ]
    }

    /// Builds every component and loads it from disk, as a shard would.
    func build(recall: Double) throws -> Built {
        var seconds: [(String, Double)] = []
        func timed<Value>(_ step: String, _ body: () throws -> Value) rethrows -> Value {
            let start = ContinuousClock.now
            defer { seconds.append((step, (ContinuousClock.now - start) / .seconds(1))) }
            return try body()
        }
        var options = VectorIndexOptions()
        options.targetRecall = recall
        let width = vectors.dimension
        let index = try timed("build vectors") {
            try VectorIndex.build(
                keys: dataset.items.keys.reinterpreted(as: UInt64.self), vectors: SharedBuffer(vectors.items),
                dimension: width, queries: SharedBuffer(vectors.users.suffix(600 * width)), options: options)
        }
        let others = timed("build the others") { lists() }
        let writers = others.merging(["vectors": index.component(), "als-vectors": index.component()]) { first, _ in
            first
        }
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "recall-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var files: [String: SafetensorsFile] = [:]
        for (kind, writer) in writers {
            let path = directory.appendingPathComponent(kind).path
            try writer.write(to: path)
            files[kind] = try SafetensorsFile(path: path)
        }
        let engine = try timed("load") { try RecallShardEngine(shard: 0, of: 1, components: files) }
        return Built(engine: engine, index: index.report, seconds: seconds)
    }
}
