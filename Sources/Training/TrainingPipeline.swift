public import Catalog
import Evaluation
import Features
public import Hashing
import Kernels
import Models
import Networks
public import Snapshots

/// From a data set to a published snapshot: both models are trained on the log up to a moment, evaluated on what came
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
        let ranker = try trainRanker(&report)
        let (preRanker, preRankerEnd) = try trainPreRanker(&report)
        let recall = try RecallTraining(dataset, inputs: inputs, options: options, progress: progress)
            .run(split, &report)
        progress.begin("snapshot")
        var configuration = SnapshotBuilder.Configuration(shards: options.shards)
        configuration.threads = options.threads
        configuration.signingKey = signingKey
        let builder = try SnapshotBuilder(store: store, configuration: configuration)
        let dataUntil = dataset.exposures.times.last ?? 0
        try SnapshotAssembly(
            dataset: dataset, columns: inputs.columns, recall: recall, preRanker: preRanker,
            preRankerDescription: ModelDescription(
                specification: inputs.specification.threeTower, features: inputs.encoder.description,
                sizes: inputs.sizes),
            statistics: preRankerEnd.statistics, ranker: ranker, dataUntil: dataUntil, options: options,
            progress: progress
        ).add(to: builder, &report)
        report.seconds["total"] = seconds(clock.now - start)
        builder.model = try JSONValue(encoding: inputs.specification)
        builder.report = try JSONValue(encoding: report)
        builder.dataUntilMilliseconds = dataUntil
        let manifest = try builder.publish()
        progress.end("\(manifest.version), \(manifest.components.count) components")
        return (manifest, report)
    }

    private func trainPreRanker(_ report: inout TrainingReport) throws -> (PreRankerTraining, Replay) {
        let clock = ContinuousClock()
        let start = clock.now
        progress.begin("pre-ranker")
        let training = try PreRankerTraining(
            inputs.specification.threeTower, sizes: inputs.sizes,
            clickLogOdds: inputs.encoder.description.priors.user.logOdds, log: sampled.exposures,
            columns: inputs.columns, options: options, progress: progress)
        let fresh = Replay(dataset: sampled, encoder: inputs.encoder)
        let rows = sampledSplit.training
        let fitted = try training.fit(
            rows,
            validated: TimeSplit(exposures: sampled.exposures, rows: rows, fraction: Self.validatedFraction).held,
            epochs: options.preRankerEpochs, from: fresh)
        var replay = fitted.end
        replay.advance(to: rows.upperBound)
        report.losses["preRanker"] = fitted.losses
        report.losses["preRanker, validated rows"] = fitted.validationLosses
        report.ranking = RankingEvaluation(
            dataset: sampled, split: sampledSplit, training: training, replay: replay
        ).figures()
        progress.end(report.rankingLine ?? "trained")
        progress.begin("pre-ranker, last rows")
        replay = try training.fit(sampledSplit.held, epochs: 1, from: replay).end
        replay.advance(to: sampled.exposures.count)
        report.seconds["preRanker"] = seconds(clock.now - start)
        progress.end("\(sampledSplit.held.count) rows")
        return (training, replay)
    }

    private func trainRanker(_ report: inout TrainingReport) throws -> TrainedRanker? {
        let specification = inputs.specification.ranker
        guard specification.enabled else { return nil }
        let start = ContinuousClock.now
        defer { report.seconds["ranker"] = seconds(ContinuousClock.now - start) }
        progress.begin("ranker")
        let rows = sampledSplit.training
        let run = try RankerRun(
            specification, sampled, base: inputs.encoder, rows: rows, options: options, progress: progress)
        let fit = try run.fit(
            rows,
            validated: TimeSplit(exposures: sampled.exposures, rows: rows, fraction: Self.validatedFraction).held)
        report.losses["ranker"] = fit.losses
        report.losses["ranker, validated rows"] = fit.validationLosses
        guard !sampledSplit.held.isEmpty else {
            progress.end("trained")
            return try TrainedRanker(run, end: fit.end, choice: nil, &report)
        }
        let predicted = run.predictions(sampledSplit.held, from: fit.end)
        let figures = run.figures(predicted, split: sampledSplit, dataset: sampled)
        report.ranker = figures
        progress.end(figures.line)
        progress.begin("ranker, precisions")
        let choice = try run.choosePrecisions(sampledSplit.held, from: fit.end)
        progress.end(choice?.line ?? "float32")
        progress.begin("ranker, last rows")
        let end = try run.goOn(sampledSplit.held, predicted: predicted.raw, from: fit.end)
        progress.end("\(sampledSplit.held.count) rows")
        return try TrainedRanker(run, end: end, choice: choice, &report)
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
