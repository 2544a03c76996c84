public import Catalog
public import Evaluation
import Kernels
import Models

/// Evaluates recall on a data set without making a snapshot: channels are trained on one part of the log and asked for the
/// clicks of the other.
public struct RecallTrial {
    private let dataset: Dataset
    private let options: TrainingOptions
    private let progress: TrainingProgress

    /// Users asked about when nothing else is said.
    public static let usersMax = RecallEvaluation.usersMax

    public init(_ dataset: Dataset, options: TrainingOptions, progress: TrainingProgress) throws(TrainingError) {
        try options.validate()
        self.dataset = dataset
        self.options = options
        self.progress = progress
    }

    /// - Parameters:
    ///   - channels: those to evaluate; nil: all but those that the specification has off.
    ///   - usersMax: users asked about, taken evenly from all who have something to find.
    /// - Throws: `TrainingError.invalidInput` when there is nothing to learn from or to find, or an unknown channel.
    public func run(_ split: EvaluationSplit, channels: [String]? = nil, usersMax: Int) throws -> RecallTrialReport {
        let clock = ContinuousClock()
        let start = clock.now
        let log = dataset.exposures
        let rows = split.divide(log, users: dataset.users.count, seed: options.seed)
        var learned = dataset
        learned.exposures = log.subset(rows.training)
        try ModelInputs.check(learned)
        if let first = rows.held.first, case .time = split {
            learned.follows = dataset.follows.prefix(before: log.times[first])
        }
        let sampled = NegativeSampling(seed: options.seed).apply(learned)
        let inputs = ModelInputs(learned, sampled: sampled, rows: 0..<sampled.exposures.count, options: options)
        var report = TrainingReport(data: DataFigures(learned, sampled: sampled))
        let training = try RecallTraining(
            learned, inputs: inputs, options: options, progress: progress, channels: channels)
        guard
            let figures = try training.evaluate(
                held: rows.held, training: rows.training, exposures: log, usersMax: usersMax, &report)
        else {
            throw TrainingError(
                .invalidInput, "data set \"\(dataset.name)\", \(split): no user has a click to find that is new to him")
        }
        report.seconds["total"] = seconds(clock.now - start)
        return RecallTrialReport(
            data: dataset.name, split: split.description, seed: options.seed, trainingRows: rows.training.count,
            heldClicks: rows.held.count, recall: figures, seconds: report.seconds)
    }
}

/// What a trial found; as JSON or as a table.
public struct RecallTrialReport: Codable, Hashable, Sendable {
    public var data: String
    public var split: String
    public var seed: UInt64
    public var trainingRows: Int
    public var heldClicks: Int
    public var recall: RecallFigures
    /// Seconds by step.
    public var seconds: [String: Double]

    /// As JSON, keys in order.
    public func json() throws -> String { try TrainingReport.json(self) }

    public var text: String {
        let title =
            "data       \(data), \(split), seed \(seed): \(trainingRows) rows learned from, \(heldClicks) clicks held back"
        return ([title, ""] + recall.lines).joined(separator: "\n")
    }
}
