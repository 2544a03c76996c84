import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Simulation
import Snapshots

/// A generated world at the end of its log, and models for it as the trainer makes them before they learn.
struct BenchWorld {
    let dataset: Dataset
    /// The state of the log after its last row.
    let end: Replay
    private let specification: ModelSpecification
    private let encoder: FeatureEncoder
    private let ranking: RankingEncoder
    private let golden: RankingExamples

    /// Rows that the ranker checks itself with.
    private static let goldenRows = 64
    /// Rows that features are fitted on.
    private static let fittedRows = 20_000
    private static let seed: UInt64 = 1

    /// - Parameter path: of a specification of models; nil is the default.
    init(_ configuration: WorldConfiguration, specification path: String?) throws {
        dataset = try World(configuration).log()
        specification =
            try path.map {
                try ModelSpecification(json: Data(contentsOf: URL(filePath: $0)), path: $0)
            } ?? ModelSpecification()
        let log = dataset.exposures
        let columns = ItemFeatureColumns(dataset.items)
        let threeTower = specification.threeTower
        encoder = FeatureEncoder(
            columns: columns, itemIndex: KeyIndex(dataset.items.keys), userIndex: KeyIndex(dataset.users.keys),
            description: FeatureDescription(
                priors: RatePriors(
                    exposures: log, rows: 0..<log.count, userCount: dataset.users.count, columns: columns),
                profileSizes: dataset.users.fields.map(\.vocabulary.count), surfaceCount: log.surfaceNames.count),
            recentItems: threeTower.recentItems, lists: threeTower.user.lists)
        let schema = try specification.ranker.schema(
            for: FeatureSupply(dataset, rows: 0..<log.count), days: Double(configuration.days))
        let fitted = try FittedFeatures(
            fitting: schema, to: dataset, rows: 0..<log.count, base: encoder, samples: Self.fittedRows)
        let statistics = fitted.makeStatistics(columns: columns)
        ranking = RankingEncoder(
            fitted, columns: columns, itemIndex: encoder.itemIndex, userIndex: encoder.userIndex,
            statistics: statistics)
        var replay = Replay(dataset: dataset, encoder: encoder, ranking: statistics)
        replay.advance(to: log.count - Self.goldenRows)
        golden = replay.rankingExamples(log.count - Self.goldenRows..<log.count, encoder: ranking)
        replay.advance(to: log.count)
        end = replay
    }

    /// Publishes what a ranker reads.
    ///
    /// - Returns: the version.
    func publish(to store: SnapshotStore, int8: Bool) throws -> String {
        let builder = try SnapshotBuilder(store: store, configuration: SnapshotBuilder.Configuration(shards: 1))
        builder.dataUntilMilliseconds = dataset.exposures.times.last ?? 0
        try builder.add("catalog", catalog())
        try builder.add("prerank", try preRank())
        let ranker = try ranker(int8: int8)
        try builder.add("ranker", ranker)
        try builder.add("ranker-calibration", try calibration().writer())
        let path = FileManager.default.temporaryDirectory.appending(path: "ranker-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try ranker.write(to: path)
        let rows = golden.inputs(of: Array(0..<golden.count))
        try builder.add("ranker-golden", try RankerGolden(rows, of: try SafetensorsFile(path: path)).writer())
        guard let statistics = end.ranking else { preconditionFailure("the replay counts for a ranking model") }
        try builder.add(RankingStatistics.componentKind, statistics.component())
        return try builder.publish().version
    }

    private func catalog() -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: ["name": dataset.name])
        dataset.items.add(to: &writer)
        dataset.exposures.surfaceNames.add(to: &writer, name: "surface")
        return writer
    }

    private func preRank() throws -> SafetensorsWriter {
        let parameters = ParameterSet(seed: Self.seed)
        let sizes = TableSizes(
            users: dataset.users, items: dataset.items, columns: encoder.columns,
            surfaceCount: dataset.exposures.surfaceNames.count)
        let model = try ThreeTowerModel(specification.threeTower, sizes: sizes, in: parameters)
        scatter(parameters)
        return try ModelComponents.preRank(
            ModelDescription(
                specification: specification.threeTower, features: encoder.description, sizes: sizes),
            model: model, parameters: parameters, users: dataset.users, columns: encoder.columns,
            statistics: end.statistics, dataUntil: dataset.exposures.times.last ?? 0)
    }

    private var net: RankerSpecification {
        get throws {
            try specification.ranker.net(ranking.fitted.schema) { _ in true }
        }
    }

    private func ranker(int8: Bool) throws -> SafetensorsWriter {
        let parameters = ParameterSet(seed: Self.seed)
        let net = try net
        _ = try RankerModel(net, rows: ranking.fitted.rows, in: parameters)
        scatter(parameters)
        let bytes = Dictionary(uniqueKeysWithValues: parameters.byteCandidates.map { ($0, Precision.int8) })
        var writer = try RankerDescription(
            specification: net, rows: ranking.fitted.rows, precisions: int8 ? bytes : nil
        ).writer(parameters)
        try RankerFeatures.add(ranking.fitted, users: dataset.users.keys, to: &writer)
        return writer
    }

    private func calibration() throws -> RankerCalibration {
        let heads = try net.heads.filter { $0.kind == .binary }
        return RankerCalibration(
            heads: Dictionary(uniqueKeysWithValues: heads.map { ($0.name, .platt(slope: 1, intercept: 0)) }))
    }

    /// Gives parameters that start at zero values that take part.
    private func scatter(_ parameters: ParameterSet) {
        var random = SeededGenerator(seed: Self.seed)
        for parameter in parameters.all {
            parameter.assign(parameter.array.map { $0 + 0.02 * (random.uniform() - 0.5) })
        }
    }
}
