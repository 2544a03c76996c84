import Catalog
import Evaluation
import Features
import Foundation
import Kernels
public import VectorIndex

/// What a training run measured; travels as JSON in the snapshot's manifest. Rates and areas are shares, 0...1.
public struct TrainingReport: Codable, Hashable, Sendable {
    public var data: DataFigures
    /// Nil when nothing was held back.
    public var ranking: RankingFigures?
    /// The ranker on what was held back; nil when nothing was, or no ranker trained.
    public var ranker: RankerFigures?
    public var rankerMaking: RankerMakingFigures?
    public var recall: RecallFigures?
    /// Nil when nothing was held back, or no ranker trained.
    public var funnel: FunnelFigures?
    /// Of an incremental update; everything else is then of the full run before it, but for the item vectors.
    public var update: UpdateFigures?
    /// How the recall channels were built, by trainer: caps, lengths, counts.
    public var recallComponents: [String: [String: Double]]
    /// By kind of component, in shard order: kind, lists searched, and the measured share of the true best that a search
    /// finds.
    public var vectorIndexes: [String: [IndexReport]]
    public var losses: [String: [Double]]
    /// Seconds by step.
    public var seconds: [String: Double]
    /// Sentences a reader of the figures must know.
    public var notes: [String]

    init(data: DataFigures, notes: [String] = []) {
        self.data = data
        recallComponents = [:]
        vectorIndexes = [:]
        losses = [:]
        seconds = [:]
        self.notes = notes
    }

    /// As JSON, keys in order.
    public func json() throws -> String { try Self.json(self) }

    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// What was trained on.
public struct DataFigures: Codable, Hashable, Sendable {
    public var name: String
    public var users: Int
    public var items: Int
    public var rows: Int
    public var clicks: Int
    /// Rows that rates and the pre-ranker learn from.
    public var trials: Int
    /// Of them, rows that were drawn rather than logged.
    public var sampledNegatives: Int
    /// Rows at or after this time (milliseconds since 1970) were held back for the evaluation.
    public var splitMilliseconds: Int64
    public var heldRows: Int

    /// - Parameter split: what is held back; nil: nothing.
    init(_ dataset: Dataset, sampled: Dataset, split: TimeSplit? = nil) {
        let log = dataset.exposures
        let held = split?.held ?? 0..<0
        name = dataset.name
        users = dataset.users.count
        items = dataset.items.count
        rows = log.count
        clicks = log.actions.count { Actions(rawValue: $0).contains(.click) }
        trials = sampled.exposures.users.indices.count { sampled.exposures.isTrial($0) }
        sampledNegatives = sampled.exposures.count - log.count
        splitMilliseconds = held.isEmpty ? 0 : log.times[held.lowerBound]
        heldRows = held.count
    }
}

/// The pre-ranker beside the no-learning rate model, on the held-back trials.
public struct RankingFigures: Codable, Hashable, Sendable {
    /// Features as they stood at the split, for both: nothing of the held-back rows is seen.
    public var frozen: Comparison
    /// User states follow the held-back rows, as they do in serving; item statistics stay those of the split.
    public var live: Comparison

    public struct Comparison: Codable, Hashable, Sendable {
        public var preRanker: ClickFigures
        public var rateModel: ClickFigures
    }
}

/// Quality of click probabilities. A figure that does not exist for the data is nil.
public struct ClickFigures: Codable, Hashable, Sendable {
    public var rows: Int
    public var clicks: Int
    public var areaUnderCurve: Double?
    public var groupedAreaUnderCurve: Double?
    public var logLoss: Double?
    public var calibrationError: Double?
    /// Sum of probabilities over clicks.
    public var calibrationRatio: Double?
}

/// How much of what users clicked in the held-back part the channels find by the rest, among items they had not met there.
public struct RecallFigures: Codable, Hashable, Sendable {
    /// Users with something to find.
    public var users: Int
    /// Mean items to find per user.
    public var itemsPerUser: Double
    /// The most clicked items that together have half of all clicks; the others are the tail.
    public var headItems: Int
    /// Share of the items to find that are head items.
    public var headShare: Double
    public var channels: [ChannelFigures]
    /// All channels together, each with its first `depth` candidates.
    public var union: [UnionRecall]
    /// Mean number of different items among every channel's first ``depth``.
    public var unionCandidates: Double

    /// Candidates per channel at which figures are given.
    public static let depths = [10, 50, 100, 200, 500]
    /// Candidates per channel that coverage, novelty, head, tail and unique contribution are of: what serving asks for.
    public static let depth = 100

    /// Means over users, of lists cut at `depth`.
    public struct AtDepth: Codable, Hashable, Sendable {
        public var depth = 0
        public var recall = 0.0
        public var hitRate = 0.0
        public var precision = 0.0
        public var normalizedGain = 0.0
        public var averagePrecision = 0.0
    }

    public struct UnionRecall: Codable, Hashable, Sendable {
        public var depth: Int
        public var recall: Double
    }
}

public struct ChannelFigures: Codable, Hashable, Sendable {
    public var channel: String
    /// At each of ``RecallFigures/depths``.
    public var atDepth: [RecallFigures.AtDepth]
    /// Mean number of candidates, of the deepest list.
    public var candidates: Double
    /// Share of the catalogue that was offered to someone.
    public var coverage: Double
    /// Mean of -log2 of the offered items' share of all clicks, bits; nil when nothing was offered.
    public var novelty: Double?
    /// Share of all head items to find that were found, and of all tail items; nil without such.
    public var headRecall: Double?
    public var tailRecall: Double?
    /// What the union's recall would lose without the channel.
    public var alone: Double

    public func recall(at depth: Int) -> Double? { atDepth.first { $0.depth == depth }?.recall }
}
