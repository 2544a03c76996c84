public import Features

/// The ranker of a snapshot: what it knows of a candidate, the net over that, and how it is trained.
public struct RankingSpecification: Codable, Hashable, Sendable {
    /// False: no ranker is trained, and the pre-ranker's order is the answer.
    public var enabled = true
    public var features = FeatureSchema.standard
    /// Columns of every embedding table that ``net`` does not give a width of its own.
    public var embeddingWidth = 8
    /// The net. Without fields it takes every feature; its tables are those whose width is to differ.
    public var net = RankingSpecification.standardNet
    public var training = RankingTrainingSpecification()

    public init() {}

    /// - Throws: `ModelError.invalid` that names the first value that cannot be used, whatever the data set.
    public func validate() throws(ModelError) {
        do throws(FeatureError) {
            try features.validate()
        } catch {
            throw ModelError(.invalid, "ranker.features: \(error.message)")
        }
        try ModelError.check("ranker.embeddingWidth", embeddingWidth, 1...4_096)
        try training.validate()
        guard !net.heads.isEmpty else { throw ModelError(.invalid, "ranker.net.heads: at least one") }
    }

    /// Attention over the last 50 clicks; a cross network of low rank and a deep net; four experts; a head for each event.
    public static let standardNet = RankerSpecification(
        tables: ["user": RankerTable(width: 16), "item": RankerTable(width: 16)], fields: [],
        sequences: [
            RankerSequence(
                "clicks",
                columns: ["item", "category", "author"].map { RankerSequence.Column(table: $0, query: $0) },
                form: .layers, hidden: [32], length: 50)
        ],
        crossings: [.dcn(layers: 2, rank: 32)], deep: RankerDeepNet(widths: [128, 64]),
        shared: .mmoe(experts: 4, widths: [64]),
        heads: [
            RankerHead("click", .binary, tower: [32]),
            RankerHead("finish", .binary, weight: 0.5, tower: [32]),
            RankerHead("watch_time", .watchTime, weight: 0.5, tower: [32]),
            RankerHead("like", .binary, weight: 0.2, tower: [32], given: "click"),
            RankerHead("collect", .binary, weight: 0.1, tower: [32], given: "click"),
            RankerHead("share", .binary, weight: 0.1, tower: [32], given: "click"),
            RankerHead("comment", .binary, weight: 0.1, tower: [32], given: "click"),
            RankerHead("follow", .binary, weight: 0.1, tower: [32], given: "click"),
            RankerHead("hide", .binary, weight: 0.1, tower: [32]),
            RankerHead("cart", .binary, weight: 0.2, tower: [32], given: "click"),
            RankerHead("purchase", .binary, weight: 0.2, tower: [32], given: "click"),
        ])
}

/// How the ranker is fitted.
public struct RankingTrainingSpecification: Codable, Hashable, Sendable {
    public enum CalibratorKind: String, NamedChoice, Hashable {
        case none
        /// Two numbers; keeps the order of candidates.
        case platt
        /// A rising function; candidates in one step of it get one probability.
        case isotonic
    }

    /// Times it goes through the log, at most: it stops when the first head predicts the last rows no better.
    public var epochs = 3
    /// Showings it goes through in all epochs together, at most, but one epoch at least: of many showings a model that embeds
    /// ids learns all it can in one (Zhang et al., CIKM 2022).
    public var showingsMax = 1_000_000
    /// Showings of a batch.
    public var batch = 512
    /// Of the layers, by Adam.
    public var learningRate: Float = 1e-3
    /// Of the embedding tables, by Adagrad.
    public var tableLearningRate: Float = 0.02
    /// What the rates of a pass over the log fall to, as a share of what they begin with.
    public var rateDecay: Float = 1
    /// Rates of the pass over the rows that told when to stop, and over those held back for the evaluation, as a share.
    public var lastRate: Float = 0.1
    /// Share of the layers' weights, times the learning rate, that is taken away at each step.
    public var weightDecay: Float = 1e-3
    /// Length of all gradients together beyond which they are scaled down.
    public var clipNorm: Float = 10
    /// Share of the rows whose user is shown as unknown, half of them with the profile.
    public var unknownUsers: Float = 0.15
    /// Share of the rows whose item is shown as unknown.
    public var unknownItems: Float = 0.1
    public var calibrator = CalibratorKind.platt
    /// Whether layers are put in bytes where that loses at most 0.001 of any head's AUC.
    public var int8 = true

    public init() {}

    /// - Throws: `ModelError.invalid` that names the first value that cannot be used.
    fileprivate func validate() throws(ModelError) {
        let place = "ranker.training"
        try ModelError.check("\(place).epochs", epochs, 1...1_000)
        try ModelError.check("\(place).showingsMax", showingsMax, 1...Int(Int32.max))
        try ModelError.check("\(place).batch", batch, 1...65_536)
        try ModelError.check("\(place).learningRate", learningRate, 1e-8...1)
        try ModelError.check("\(place).tableLearningRate", tableLearningRate, 1e-8...1)
        try ModelError.check("\(place).rateDecay", rateDecay, 0.001...1)
        try ModelError.check("\(place).lastRate", lastRate, 0.001...1)
        try ModelError.check("\(place).weightDecay", weightDecay, 0...10)
        try ModelError.check("\(place).clipNorm", clipNorm, 1e-6...1e6)
        try ModelError.check("\(place).unknownUsers", unknownUsers, 0...0.9)
        try ModelError.check("\(place).unknownItems", unknownItems, 0...0.9)
    }
}
