public import Catalog
import Evaluation
import Features
public import Hashing
import Kernels
import Models
import Networks
public import Snapshots

/// From a data set to a published snapshot: all models are trained on the log up to a moment, evaluated on what came
/// after it, then trained on that too, once, and shipped with every recall component built from the whole log.
public struct TrainingPipeline {
    private let dataset: Dataset
    /// The log with sampled negatives, where it has none of its own.
    private let sampled: Dataset
    private let options: TrainingOptions
    private let progress: TrainingProgress
    private let inputs: ModelInputs
    /// The held-back rows, of `dataset` and of `sampled`.
    private let split: TimeSplit
    private let sampledSplit: TimeSplit

    /// Share of the rows trained on, the last ones, that tells the pre-ranker when to stop.
    static let validatedFraction = 0.1

    /// - Parameter start: A model that the two-tower model goes on from, by one pass over the rows that are newer; nil
    ///   begins anew.
    /// - Throws: `TrainingError.invalidInput` when the options or the data set cannot be trained with.
    public init(
        _ dataset: Dataset, options: TrainingOptions, progress: TrainingProgress,
        continuing start: ContinuedModel? = nil
    ) throws(TrainingError) {
        try options.validate()
        try ModelInputs.check(dataset)
        self.dataset = dataset
        self.options = options
        self.progress = progress
        sampled = NegativeSampling(seed: options.seed).apply(dataset)
        split = try Self.split(dataset, options, start)
        guard !split.training.isEmpty else {
            throw TrainingError(
                .invalidInput, "data set \"\(dataset.name)\": nothing is left to train on before the evaluated rows")
        }
        let end = split.held.isEmpty ? Int64.max : dataset.exposures.times[split.held.lowerBound]
        sampledSplit = TimeSplit(exposures: sampled.exposures, at: end)
        inputs = ModelInputs(
            dataset, sampled: sampled, rows: sampledSplit.training, options: options, continuing: start)
        do {
            try start?.model.check(continues: inputs.specification.twoTower)
        } catch {
            throw TrainingError(.invalidInput, "--continue-from: \(error.message)")
        }
    }

    /// The last part of the log is held back; of a log that a model goes on with, of the part that is new to it.
    private static func split(
        _ dataset: Dataset, _ options: TrainingOptions, _ start: ContinuedModel?
    ) throws(TrainingError) -> TimeSplit {
        let log = dataset.exposures
        guard let start else { return TimeSplit(exposures: log, fraction: options.evaluatedFraction) }
        let first = start.firstNewRow(of: log)
        guard first < log.count else {
            throw TrainingError(
                .invalidInput,
                "--continue-from: data set \"\(dataset.name)\" has no row after those that \(start.version) was trained on"
            )
        }
        let held = TimeSplit(exposures: log, rows: first..<log.count, fraction: options.evaluatedFraction).held
        return held.isEmpty
            ? TimeSplit(exposures: log, fraction: 0) : TimeSplit(exposures: log, at: log.times[held.lowerBound])
    }

    /// Trains, evaluates, and publishes; nothing is visible in the store before all is done.
    ///
    /// - Parameter signingKey: signs the manifest; nil leaves it unsigned.
    public func run(
        into store: SnapshotStore, signingKey: Ed25519.PrivateKey? = nil
    ) throws -> (manifest: SnapshotManifest, report: TrainingReport) {
        let clock = ContinuousClock()
        let start = clock.now
        var report = emptyReport()
        let rankers = try RankersTraining(
            dataset: sampled, split: sampledSplit, inputs: inputs, options: options, progress: progress
        ).run(&report)
        let recall = try RecallTraining(dataset, inputs: inputs, options: options, progress: progress)
            .run(split, ranker: rankers.evaluated, &report)
        progress.begin("snapshot")
        var configuration = SnapshotBuilder.Configuration(shards: options.shards)
        configuration.threads = options.threads
        configuration.signingKey = signingKey
        let builder = try SnapshotBuilder(store: store, configuration: configuration)
        let dataUntil = dataset.exposures.times.last ?? 0
        try SnapshotAssembly(
            dataset: dataset, columns: inputs.columns, recall: recall, preRanker: rankers.preRanker,
            preRankerDescription: inputs.preRankerDescription, statistics: rankers.preRankerEnd.statistics,
            ranker: rankers.ranker, dataUntil: dataUntil, options: options, progress: progress
        ).add(to: builder, &report)
        report.seconds["total"] = seconds(clock.now - start)
        builder.model = try JSONValue(encoding: inputs.specification)
        builder.report = try JSONValue(encoding: report)
        builder.dataUntilMilliseconds = dataUntil
        let manifest = try builder.publish()
        progress.end("\(manifest.version), \(manifest.components.count) components")
        return (manifest, report)
    }

    private func emptyReport() -> TrainingReport {
        var notes = [
            "The models were evaluated on the held-back rows before training on them; then they were trained on them "
                + "once, and shipped: the shipped models have seen all rows."
        ]
        if let start = inputs.continued {
            notes.append(
                "The two-tower model goes on from that of \(start.version), once over the "
                    + "\(dataset.exposures.count - start.firstNewRow(of: dataset.exposures)) rows since.")
        }
        if !dataset.exposures.hasNegatives {
            notes.append(
                "The log holds no showings without a click: \(NegativeSampling.description) "
                    + "Click probabilities and rates are relative to those.")
        }
        return TrainingReport(data: DataFigures(dataset, sampled: sampled, split: split), notes: notes)
    }
}

func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
