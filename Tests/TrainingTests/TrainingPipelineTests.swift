import Catalog
import Foundation
import Kernels
import Simulation
import Snapshots
import Synchronization
import Testing
import Training

/// The whole way from a small generated world to a published snapshot.
struct TrainingPipelineTests {
    private func world(impressions: Int = 16_000) throws -> Dataset {
        var configuration = WorldConfiguration()
        configuration.users = 200
        configuration.items = 400
        configuration.impressions = impressions
        configuration.days = 7
        return try World(configuration).log()
    }

    private func options(seed: UInt64 = 1) -> TrainingOptions {
        var options = TrainingOptions()
        options.twoTowerEpochs = 2
        options.preRankerEpochs = 1
        options.dimension = 16
        options.shards = 2
        options.seed = seed
        return options
    }

    private func withStore<Result>(_ body: (SnapshotStore) throws -> Result) throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: "training-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try body(SnapshotStore(directory: directory))
    }

    @Test func aSnapshotIsPublishedAndRepeatable() throws {
        let dataset = try world()
        try withStore { store in
            let pipeline = try TrainingPipeline(dataset, options: options(), progress: .silent)
            let (manifest, report) = try pipeline.run(into: store)
            #expect(try store.versions() == [manifest.version])
            let names = Set(manifest.components.map(\.name))
            #expect(manifest.components.count == 12 && names.count == 12)
            for kind in ["catalog", "users", "two-tower", "prerank"] { _ = try manifest.component(kind) }
            for kind in ["vectors", "itemcf", "popular", "newest"] {
                for shard in 0..<2 { _ = try manifest.component(kind, shard: shard) }
            }
            #expect(try manifest.report.decoded(as: TrainingReport.self) == report)
            let ranking = try #require(report.ranking)
            #expect(ranking.frozen.preRanker.rows == ranking.frozen.rateModel.rows)
            #expect(try #require(ranking.frozen.preRanker.areaUnderCurve) > 0.55)
            let recall = try #require(report.recall)
            #expect(recall.channels.map(\.channel) == ["two-tower", "itemcf", "popular", "newest"])
            #expect(recall.channels.allSatisfy { $0.recall <= recall.union.recall })
            // The same data, options and seed give the same blobs; another seed another model.
            let again = try TrainingPipeline(dataset, options: options(), progress: .silent).run(into: store).manifest
            #expect(again.components.map(\.sha256) == manifest.components.map(\.sha256))
            let other = try TrainingPipeline(dataset, options: options(seed: 2), progress: .silent).run(into: store)
                .manifest
            #expect(try other.component("prerank").sha256 != manifest.component("prerank").sha256)
            #expect(try other.component("users").sha256 == manifest.component("users").sha256)
        }
    }

    @Test func aDataSetWithoutClicksIsRefused() throws {
        var dataset = try world(impressions: 500)
        let log = dataset.exposures
        dataset.exposures = ExposureTable(
            users: log.users, items: log.items, times: log.times,
            actions: .init(log.actions.map { _ in Actions.impression.rawValue }), watchSeconds: log.watchSeconds,
            surfaces: log.surfaces, surfaceNames: log.surfaceNames, hasNegatives: true)
        #expect(throws: TrainingError.self) {
            try TrainingPipeline(dataset, options: options(), progress: .silent)
        }
    }

    @Test(arguments: [
        ("epochs", \TrainingOptions.preRankerEpochs, 0), ("shards", \TrainingOptions.shards, 257),
        ("dimension", \TrainingOptions.dimension, 3), ("threads", \TrainingOptions.threads, 0),
    ])
    func badOptionsAreNamed(name: String, path: any WritableKeyPath<TrainingOptions, Int> & Sendable, value: Int) {
        var options = options()
        options[keyPath: path] = value
        let error = #expect(throws: TrainingError.self) { try options.validate() }
        #expect(error?.message.hasPrefix("--\(name):") == true)
    }

    @Test func progressIsOneLineThatTellsAll() {
        let lines = Lines()
        let progress = TrainingProgress(isTerminal: false) { lines.append($0) }
        progress.begin("pre-ranker")
        progress.update(done: 1, of: 10, loss: 0.5)
        progress.end("AUC 0.75")
        // Updates within the first seconds print nothing; the end always does.
        #expect(lines.all.count == 1 && lines.all[0].hasPrefix("pre-ranker: AUC 0.75 ("))
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func append(_ line: String) {
        lines.withLock { $0.append(line) }
    }
}
