import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Ranking
import Simulation
import Snapshots
import Training

/// What a ranker does for one request: features, pre-rank, cut, ranking model, fusion. The models are trained on a small
/// generated world; candidates repeat.
enum RankCall {
    /// - Parameter limit: Items of the answer.
    static func make(_ candidates: Int, limit: Int) throws -> () -> Void {
        var configuration = WorldConfiguration()
        (configuration.users, configuration.items, configuration.impressions) = (100, 300, 8_000)
        let dataset = try World(configuration).log()
        let ranker = try ranker(dataset)
        let keys = dataset.items.keys
        var state = UserState(
            user: dataset.users.keys[0], isKnown: true, profile: dataset.users.fields.map { $0.values[0] })
        for touch in 0..<100 {
            state.record(
                Interaction(
                    item: keys[touch], timeMilliseconds: Int64(touch), actions: [.impression, .click], watchSeconds: 3))
        }
        var query = RankingQuery(
            state, Scene(timeMilliseconds: 1_000_000),
            items: SharedBuffer((0..<candidates).map { keys[$0 % keys.count] }))
        query.found = SharedBuffer((0..<candidates).map { 1 << UInt64($0 % 3) })
        query.channelCount = 3
        query.cut = PreRankCut(keep: candidates / 2, channelMinimum: 10, categoryMinimum: 1)
        query.limit = limit
        return {
            let ranked = ranker.rank(query).items
            precondition(ranked.isRanked && ranked.items.count == limit, "as many as asked for")
        }
    }

    private static func ranker(_ dataset: Dataset) throws -> Ranker {
        var options = TrainingOptions()
        (options.twoTowerEpochs, options.preRankerEpochs, options.dimension, options.shards) = (1, 1, 8, 1)
        options.specification.ranker.training.epochs = 1
        let directory = FileManager.default.temporaryDirectory.appending(path: "allocations-\(UUID())").path()
        let store = try SnapshotStore(directory: directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (manifest, _) = try TrainingPipeline(dataset, options: options, progress: .silent).run(into: store)
        let components = StoredComponents(manifest, in: store)
        let index = KeyIndex(dataset.items.keys)
        let preRanker = try PreRanker(components.open("prerank"), items: dataset.items, itemIndex: index)
        let file = try components.open("ranker")
        let (encoder, statistics) = try RankerFeatures.encoder(file, columns: preRanker.columns, itemIndex: index)
        let model = try RankingModel(
            RankingModel.Components(
                ranker: file, calibration: components.open("ranker-calibration"),
                golden: components.open("ranker-golden")),
            encoder: encoder,
            statistics: LiveStatistics(
                statistics, version: manifest.version, clock: LogClock(dataUntil: .max), itemIndex: index))
        let fusion = FusionSpecification(
            .ranks,
            [FusionTerm(head: "click", offset: 60), FusionTerm(head: "finish", offset: 60, lengthAdjusted: true)])
        return try Ranker(preRanker, stage: model, fusion: fusion)
    }
}
