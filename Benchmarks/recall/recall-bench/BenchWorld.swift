import Blobs
import Catalog
import Foundation
import Kernels
import Recall
import VectorIndex

/// A seeded shard: vectors, a log with long-tailed tastes, and requests to it.
struct BenchWorld {
    private let vectors: SyntheticVectors
    private let dataset: Dataset
    private let histories: [[Int]]

    struct Built {
        var engine: RecallShardEngine
        var index: IndexReport
        var seconds: [(String, Double)]
    }

    init(items: Int, users: Int, likes: Int, dimension: Int, queries: Int) {
        // 600 vectors more than there are requests: the index is tuned and measured on those.
        vectors = SyntheticVectors(items: items, users: queries + 600, dimension: dimension, seed: 1)
        var random = SeededGenerator(seed: 2)
        let popularity = Weights((1...items).map { 1 / Double($0) })
        let places = (0..<items).shuffled(using: &random)
        let histories = (0..<users).map { _ in (0..<likes).map { _ in places[popularity.draw(&random)] } }
        let rows = histories.indices.flatMap { user in histories[user].map { (user, $0) } }.shuffled(using: &random)
        self.histories = histories
        let none = SharedBuffer((0..<items).map { _ in UInt32(0) })
        dataset = Dataset(
            name: "bench",
            users: UserTable(
                keys: SharedBuffer((0..<users).map { UserKey(rawValue: UInt64($0)) }), publicIDs: StringTable([]),
                fields: []),
            items: ItemTable(
                keys: SharedBuffer((0..<items).map { ItemKey(rawValue: UInt64($0) * 8 + 3) }),
                publicIDs: StringTable([]), titles: StringTable([]), categories: none,
                categoryNames: StringTable([""]), authors: SharedBuffer((0..<items).map { _ in 0 }),
                publishTimes: SharedBuffer((0..<items).map { Int64($0 + 1) * 60_000 }),
                durations: SharedBuffer((0..<items).map { _ in 0 })),
            exposures: ExposureTable(
                users: SharedBuffer(rows.map { UInt32($0.0) }), items: SharedBuffer(rows.map { UInt32($0.1) }),
                times: SharedBuffer(rows.indices.map { Int64($0) * 400 }),
                actions: SharedBuffer(
                    rows.map { _ in Actions.click.union(random.uniform() < 0.3 ? .like : []).rawValue }),
                watchSeconds: SharedBuffer(rows.map { _ in 0 }), surfaces: SharedBuffer(rows.map { _ in 0 }),
                surfaceNames: StringTable([""]), hasNegatives: false))
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
        let similar = timed("build itemcf") { ItemCFBuilder().build(dataset) }
        let writers = [
            "vectors": index.component(), "itemcf": similar.component(shard: 0, of: 1),
            "popular": RankedList.popular(dataset).component(shard: 0, of: 1),
            "newest": RankedList.newest(dataset).component(shard: 0, of: 1),
        ]
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

    /// Requests with 200 triggers each and the limits of the default funnel.
    func queries(excluded: Int) -> [RecallQuery] {
        var random = SeededGenerator(seed: 3)
        let width = vectors.dimension
        let keys = dataset.items.keys
        return (0..<vectors.users.count / width - 600).map { row in
            var triggers: [ItemKey] = []
            var seen: Set<Int> = []
            for _ in histories.indices where triggers.count < 200 {
                for item in histories[Int.random(in: 0..<histories.count, using: &random)]
                where triggers.count < 200 && seen.insert(item).inserted {
                    triggers.append(keys[item])
                }
            }
            let vector = SharedBuffer(vectors.users[row * width..<(row + 1) * width])
            return RecallQuery(
                user: UserKey(rawValue: UInt64(row)), triggers: SharedBuffer(triggers),
                triggerWeights: SharedBuffer(triggers.map { _ in 1 }),
                channels: [("two-tower", 300), ("itemcf", 100), ("popular", 100), ("newest", 50)].map {
                    ChannelRequest(
                        channel: $0.0, limit: $0.1, input: $0.0 == "two-tower" ? ChannelInput(vector: vector) : .init())
                },
                excludedItems: SharedBuffer(
                    (0..<excluded).map { _ in keys[Int.random(in: 0..<keys.count, using: &random)] }))
        }
    }
}
