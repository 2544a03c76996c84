import Catalog
import Foundation
import Kernels
import Models
import Simulation
import Snapshots
import Synchronization
import Testing
import Training
import VectorIndex

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
        options.specification.ranker.training.epochs = 1
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
            #expect(manifest.components.count == names.count)
            for kind in [
                "catalog", "users", "two-tower", "prerank", "usercf", "als", "follows", "similar-authors",
                "user-cities", "ranker", "ranker-calibration", "statistics",
            ] {
                _ = try manifest.component(kind)
            }
            for kind in [
                "vectors", "itemcf", "swing", "usercf-histories", "als-vectors", "popular", "newest", "new-item",
                "place", "city",
                "authors",
            ] {
                for shard in 0..<2 { _ = try manifest.component(kind, shard: shard) }
            }
            #expect(try manifest.report.decoded(as: TrainingReport.self) == report)
            let ranking = try #require(report.ranking)
            #expect(ranking.frozen.preRanker.rows == ranking.frozen.rateModel.rows)
            #expect(try #require(ranking.frozen.preRanker.areaUnderCurve) > 0.55)
            let indexes = try #require(report.vectorIndexes["vectors"])
            #expect(indexes.count == 2 && indexes.map(\.vectors).reduce(0, +) == 400)
            let itemCF = try #require(report.recallComponents["itemcf"])
            let (pairs, neighbours) = (try #require(itemCF["pairs"]), try #require(itemCF["neighbours"]))
            #expect(pairs > 0 && pairs <= 400 * neighbours)
            let recall = try #require(report.recall)
            let channels = Set(recall.channels.map(\.channel))
            #expect(
                channels.isSuperset(of: [
                    "two-tower", "itemcf", "swing", "usercf", "als", "sequence", "popular", "newest", "new-item",
                    "place", "city",
                    "followed-author",
                    "author",
                    "similar-author",
                ]))
            #expect(!channels.contains("ease") && !channels.contains("markov"))
            for (slot, union) in recall.union.enumerated() {
                #expect(recall.channels.allSatisfy { $0.atDepth[slot].recall <= union.recall })
            }
            // The same data, options and seed give the same blobs; another seed another model.
            let again = try TrainingPipeline(dataset, options: options(), progress: .silent).run(into: store).manifest
            #expect(again.components.map(\.sha256) == manifest.components.map(\.sha256))
            let other = try TrainingPipeline(dataset, options: options(seed: 2), progress: .silent).run(into: store)
                .manifest
            #expect(try other.component("prerank").sha256 != manifest.component("prerank").sha256)
            #expect(try other.component("users").sha256 == manifest.component("users").sha256)
        }
    }

    /// A run that may make thirty epochs and stops early ships, byte for byte, what a run of only the best epochs ships.
    @Test func thePreRankerStopsWhereItPredictsBest() throws {
        let dataset = try world(impressions: 8_000)
        try withStore { store in
            var options = options()
            options.preRankerEpochs = 30
            options.batch = 32
            let (long, report) = try TrainingPipeline(dataset, options: options, progress: .silent).run(into: store)
            let losses = try #require(report.losses["preRanker, validated rows"])
            let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
            // All losses fall up to the best, one more follows: the one that told to stop.
            #expect(zip(losses, losses.dropFirst()).prefix(best).allSatisfy { $0 > $1 })
            #expect((1...28).contains(best) && losses.count == best + 2, "\(losses)")
            // Every epoch made, and the one through the validated rows.
            #expect(report.losses["preRanker"]?.count == losses.count)
            options.preRankerEpochs = best
            let short = try TrainingPipeline(dataset, options: options, progress: .silent).run(into: store).manifest
            #expect(try short.component("prerank").sha256 == long.component("prerank").sha256)
        }
    }

    /// Ids start next to zero; from zero, items without any attribute would stay alike for ever.
    @Test func twoTowerLearnsFromIdsAlone() throws {
        var dataset = try world()
        let (items, users) = (dataset.items, dataset.users)
        dataset.items = ItemTable(
            keys: items.keys, publicIDs: items.publicIDs, titles: items.titles,
            categories: .init(items.categories.map { _ in 0 }), categoryNames: StringTable([""]),
            authors: .init(items.authors.map { _ in 0 }), publishTimes: .init(items.publishTimes.map { _ in 0 }),
            durations: .init(items.durations.map { _ in 0 }))
        dataset.users = UserTable(keys: users.keys, publicIDs: users.publicIDs, fields: [])
        try withStore { store in
            var options = options()
            options.twoTowerEpochs = 4
            let report = try TrainingPipeline(dataset, options: options, progress: .silent).run(into: store).report
            let losses = try #require(report.losses["twoTower"])
            #expect(losses[3] < losses[0] - 0.05, "\(losses)")
        }
    }

    /// What was shown and not clicked is never a negative of recall: the two-tower model is the same, to the last bit, when
    /// every such showing is one of another item, and when all of them are said to be rejected candidates.
    @Test func whatWasShownAndNotClickedIsNoNegative() throws {
        let dataset = try world(impressions: 8_000)
        var other = dataset
        other.exposures.items = SharedBuffer(
            dataset.exposures.items.indices.map { row in
                let item = dataset.exposures.items[row]
                let isClick = Actions(rawValue: dataset.exposures.actions[row]).contains(.click)
                return isClick ? item : (item + 1 + UInt32(row % 7)) % UInt32(dataset.items.count)
            })
        #expect(other.exposures.items != dataset.exposures.items)
        var mislabelled = dataset
        let shown = dataset.exposures.users.indices.filter {
            !Actions(rawValue: dataset.exposures.actions[$0]).contains(.click)
        }
        mislabelled.rejected = RejectedTable(
            users: SharedBuffer(shown.map { dataset.exposures.users[$0] }),
            items: SharedBuffer(shown.map { dataset.exposures.items[$0] }),
            times: SharedBuffer(shown.map { dataset.exposures.times[$0] }))
        try withStore { store in
            func vectors(_ dataset: Dataset, rejected: RejectedTable = RejectedTable()) throws -> [String] {
                var dataset = dataset
                dataset.rejected = rejected
                var options = options()
                options.specification.twoTower.training.negatives.hardPerPositive = 2
                let manifest = try TrainingPipeline(dataset, options: options, progress: .silent).run(into: store)
                    .manifest
                return try (0..<2).map { try manifest.component("vectors", shard: $0).sha256 }
            }
            let plain = try vectors(dataset)
            #expect(try vectors(other) == plain)
            #expect(try vectors(dataset, rejected: mislabelled.rejected) == plain)
            // Real rejected candidates do count.
            #expect(try vectors(dataset, rejected: dataset.rejected) != plain)
        }
    }

    /// Each loss learns: the loss falls, and the channel finds more than chance does.
    @Test(arguments: [
        (RetrievalLoss.listwise, NegativeSpecification.Easy.inBatch), (.listwise, .global), (.pointwise, .inBatch),
        (.hinge, .global), (.logistic, .inBatch),
    ])
    func everyLossLearns(loss: RetrievalLoss, easy: NegativeSpecification.Easy) throws {
        try withStore { store in
            var options = options()
            options.twoTowerEpochs = 3
            options.specification.twoTower.training.loss = loss
            options.specification.twoTower.training.negatives.easy = easy
            options.specification.twoTower.training.negatives.globalPerBatch = 64
            options.specification.twoTower.training.negatives.hardPerPositive = 2
            options.specification.twoTower.training.positives.popularShare = 0.01
            options.specification.twoTower.training.positives.tailClicks = 5
            let report = try TrainingPipeline(world(), options: options, progress: .silent).run(into: store).report
            let losses = try #require(report.losses["twoTower"])
            #expect(losses[2] < losses[0], "\(losses)")
            #expect(try #require(report.recallComponents["two-tower"]?["hard_negatives"]) > 0)
            let channel = try #require(report.recall?.channels.first { $0.channel == "two-tower" })
            // 100 of 400 items, less what the user has met.
            #expect(try #require(channel.recall(at: 100)) > 0.3, "\(channel)")
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
        ("threads", \TrainingOptions.threads, 0),
        ("specification: recall.itemCF.neighbours", \TrainingOptions.specification.recall.itemCF.neighbours, 0),
        ("specification: recall.swing.historyMax", \TrainingOptions.specification.recall.swing.historyMax, 65_536),
        ("specification: recall.als.factors", \TrainingOptions.specification.recall.als.factors, 0),
        (
            "specification: twoTower.training.negatives.perPositive",
            \TrainingOptions.specification.twoTower.training.negatives.perPositive, 0
        ),
        ("specification: recall.swing.usersMax", \TrainingOptions.specification.recall.swing.usersMax, 1),
        ("specification: recall.deepRetrieval.beam", \TrainingOptions.specification.recall.deepRetrieval.beam, 2),
        ("specification: recall.deepRetrieval.nodes", \TrainingOptions.specification.recall.deepRetrieval.nodes, 400),
    ])
    func badOptionsAreNamed(name: String, path: any WritableKeyPath<TrainingOptions, Int> & Sendable, value: Int) {
        var options = options()
        options[keyPath: path] = value
        let error = #expect(throws: TrainingError.self) { try options.validate() }
        #expect(error?.message.hasPrefix("--\(name):") == true)
    }

    @Test func aDimensionTooSmallIsNamed() {
        var options = options()
        options.dimension = 3
        let error = #expect(throws: TrainingError.self) { try options.validate() }
        #expect(error?.message == "--dimension: expected 4 to 1024, found 3")
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
