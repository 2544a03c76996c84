import Catalog
import Foundation
import Models
import Simulation
import Snapshots
import Testing
import Training

/// Deep Retrieval trained on a small generated world.
struct DeepRetrievalPipelineTests {
    private func run(_ adjust: (inout TrainingOptions) -> Void) throws -> (SnapshotManifest, TrainingReport) {
        var configuration = WorldConfiguration()
        configuration.users = 200
        configuration.items = 300
        configuration.impressions = 12_000
        configuration.days = 7
        var options = TrainingOptions()
        options.twoTowerEpochs = 1
        options.preRankerEpochs = 1
        options.dimension = 8
        options.shards = 2
        options.batch = 64
        options.specification.recall.off.removeAll { $0 == "deep-retrieval" }
        options.specification.recall.deepRetrieval.nodes = 6
        options.specification.recall.deepRetrieval.epochs = 3
        adjust(&options)
        let directory = FileManager.default.temporaryDirectory.appending(path: "deep-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let pipeline = try TrainingPipeline(World(configuration).log(), options: options, progress: .silent)
        return try pipeline.run(into: SnapshotStore(directory: directory))
    }

    private func hashes(_ manifest: SnapshotManifest) throws -> [String] {
        [try manifest.component("deep-retrieval").sha256]
            + (try (0..<2).map { try manifest.component("deep-retrieval-paths", shard: $0).sha256 })
    }

    @Test func nothingDependsOnTheNumberOfThreads() throws {
        let (manifest, report) = try run { $0.threads = 2 }
        let alone = try run { $0.threads = 1 }.0
        #expect(try hashes(alone) == hashes(manifest))
        let losses = try #require(report.losses["deepRetrieval"])
        #expect(losses.count == 3 && losses[2] < losses[0], "\(losses)")
        let figures = try #require(report.recallComponents["deep-retrieval"])
        #expect(figures["paths"] == 216 && figures["nodes"] == 6 && figures["paths_per_item"] == 3)
        let held = try #require(figures["items_with_paths"])
        #expect(held > 200 && held <= 300)
        let largest = try #require(figures["items_of_the_largest_path"])
        let mean = try #require(figures["items_per_used_path"])
        #expect(largest >= mean && mean >= 3 * held / 216)
        let channel = try #require(report.recall?.channels.first { $0.channel == "deep-retrieval" })
        #expect(try #require(channel.recall(at: 100)) > 0)
    }

    @Test func aHeavierPenaltyBalancesPaths() throws {
        func figures(_ alpha: Double) throws -> [String: Double] {
            try #require(
                run { $0.specification.recall.deepRetrieval.alpha = alpha }.1.recallComponents["deep-retrieval"])
        }
        let (free, bound) = (try figures(0), try figures(1))
        for name in ["gini", "items_of_the_largest_path"] {
            #expect(try #require(free[name]) > #require(bound[name]), "\(name)")
        }
        #expect(try #require(free["entropy"]) < #require(bound["entropy"]))
        #expect(try #require(free["used_share"]) < #require(bound["used_share"]))
    }

    @Test func itCanBeLeftOut() throws {
        let (manifest, report) = try run { $0.specification.recall.off.append("deep-retrieval") }
        #expect(!manifest.components.contains { $0.name.contains("deep-retrieval") })
        #expect(report.recall?.channels.contains { $0.channel == "deep-retrieval" } == false)
    }
}
