import Catalog
import Features
public import Models
public import Ranking
public import Snapshots

extension Ranker {
    /// Kinds of components that a ranker needs.
    public static let componentKinds: Set<String> = ["catalog", "prerank"]
    /// Kinds that it reads of a snapshot with a ranking model.
    public static let optionalKinds: Set<String> = [
        "ranker", "ranker-calibration", "ranker-golden", RankingStatistics.componentKind,
    ]

    /// - Parameter fusion: what the ranking model's predictions become; nil for the standard formula.
    public convenience init(_ snapshot: OpenSnapshot, fusion: FusionSpecification?) throws {
        let items = try ItemTable(try snapshot.component("catalog"))
        let index = KeyIndex(items.keys)
        let preRanker = try PreRanker(
            try snapshot.component("prerank"), items: items, itemIndex: index, version: snapshot.version,
            clock: snapshot.logClock)
        try self.init(
            preRanker, stage: try RankingModel(snapshot, columns: preRanker.columns, itemIndex: index),
            fusion: fusion)
    }
}

extension RankingModel {
    /// The snapshot's ranking model, if it has one.
    ///
    /// - Parameters:
    ///   - columns: of its catalogue.
    ///   - itemIndex: rows of its catalogue by key.
    fileprivate convenience init?(_ snapshot: OpenSnapshot, columns: ItemFeatureColumns, itemIndex: KeyIndex) throws {
        guard snapshot.contains("ranker") else { return nil }
        let file = try snapshot.component("ranker")
        let encoder: RankingEncoder
        var statistics: RankingStatistics
        (encoder, statistics) = try RankerFeatures.encoder(file, columns: columns, itemIndex: itemIndex)
        try statistics.restore(try snapshot.component(RankingStatistics.componentKind))
        let components = Components(
            ranker: file, calibration: try snapshot.component("ranker-calibration"),
            golden: try snapshot.component("ranker-golden"))
        try self.init(
            components, encoder: encoder,
            statistics: LiveStatistics(
                statistics, version: snapshot.version, clock: snapshot.logClock,
                itemIndex: itemIndex))
    }
}

extension OpenSnapshot {
    fileprivate var logClock: LogClock {
        LogClock(dataUntil: manifest.dataUntilMilliseconds, made: manifest.createdMilliseconds)
    }
}
