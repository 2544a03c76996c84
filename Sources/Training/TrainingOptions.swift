public import Models

/// How models are trained and a snapshot is made.
public struct TrainingOptions: Sendable, Hashable {
    /// Decides everything random: the same seed, data and options give the same models.
    public var seed: UInt64 = 1
    /// Times the two-tower model goes through the log.
    public var twoTowerEpochs = 4
    /// Times the pre-ranker does, at most: it stops when the last rows are predicted no better.
    public var preRankerEpochs = 5
    /// What is trained.
    public var specification = ModelSpecification()
    /// Dimension of user and item vectors; nil: the specification's.
    public var dimension: Int?
    /// Shards the items are split over, 1...256.
    public var shards = 4
    public var threads = 2
    /// Share of the rows, the last ones, that is held back and evaluated on before it is trained on; 0...0.9.
    public var evaluatedFraction = 0.2
    /// Showings of a batch.
    public var batch = 512

    public init() {}

    /// Throws unless the options can be used; the message names the option.
    public func validate() throws(TrainingError) {
        func check<Value: Comparable>(_ name: String, _ value: Value, _ range: ClosedRange<Value>) throws(TrainingError)
        {
            guard range.contains(value) else {
                throw TrainingError(
                    .invalidInput,
                    "--\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
            }
        }
        try check("epochs", min(twoTowerEpochs, preRankerEpochs), 1...1_000)
        try check("epochs", max(twoTowerEpochs, preRankerEpochs), 1...1_000)
        try check("dimension", dimension ?? specification.twoTower.dimension, 4...1_024)
        try check("shards", shards, 1...256)
        try check("threads", threads, 1...256)
        do throws(ModelError) {
            try specification.recall.validate()
            try specification.twoTower.validate()
            try specification.threeTower.validate()
            try specification.ranker.validate()
            if specification.threeTower.distillation > 0, !specification.ranker.enabled {
                throw ModelError(.invalid, "threeTower.distillation: there is no ranker to learn from")
            }
        } catch {
            throw TrainingError(.invalidInput, "--specification: \(error.message)")
        }
        try check("evaluate-split", evaluatedFraction, 0...0.9)
    }
}

/// Why a training run could not be made.
public struct TrainingError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// An option or a data set that cannot be used.
        case invalidInput
        /// Training came to values that are not finite.
        case diverged
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
