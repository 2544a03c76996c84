import Blobs
import Catalog
import Evaluation
import Features
import Inference
import Kernels
import Models
import Networks
import Ranking

/// A ranker on its way through a training run: features fitted, net trained with early stopping, measured on held-back rows,
/// trained on those too, made ready to ship.
final class RankerRun {
    let specification: RankingSpecification
    /// For this data set.
    let net: RankerSpecification
    let encoder: RankingEncoder
    let training: RankingTraining
    /// Heads of the specification that the log cannot teach.
    let headsLeftOut: [String]
    /// Of the heads, fitted on the newest rows that the model had not seen.
    private(set) var calibration = RankerCalibration(heads: [:])
    private let dataset: Dataset
    private let options: TrainingOptions
    private let start: Replay
    private let progress: TrainingProgress

    /// - Parameters:
    ///   - dataset: With sampled negatives, where it has none of its own.
    ///   - base: Of the same rows.
    ///   - rows: What features are fitted on.
    init(
        _ specification: RankingSpecification, _ dataset: Dataset, base: FeatureEncoder, rows: Range<Int>,
        options: TrainingOptions, progress: TrainingProgress
    ) throws {
        self.specification = specification
        self.dataset = dataset
        self.options = options
        self.progress = progress
        let outline = try RankerOutline(specification, dataset, rows: rows)
        (net, headsLeftOut) = (outline.net, outline.headsLeftOut)
        do throws(FeatureError) {
            let fitted = try FittedFeatures(fitting: outline.schema, to: dataset, rows: rows, base: base)
            let statistics = fitted.makeStatistics(columns: base.columns)
            encoder = RankingEncoder(
                fitted, columns: base.columns, itemIndex: base.itemIndex, userIndex: base.userIndex,
                statistics: statistics)
            start = Replay(dataset: dataset, encoder: base, ranking: statistics)
        } catch {
            throw TrainingError(.invalidInput, "--specification: ranker.features: \(error.message)")
        }
        training = try RankingTraining(
            net, encoder: encoder, options: specification.training, log: dataset.exposures, seed: options.seed,
            threads: options.threads, progress: progress)
    }

    /// Trains on rows of the log, stopping early by the last of them, and calibrates on these.
    func fit(_ rows: Range<Int>, validated: Range<Int>) throws -> RankingTraining.Fit {
        var fit = try training.fit(rows, validated: validated, from: start)
        fit.end.advance(to: rows.upperBound)
        if fit.validated.count > 0 {
            calibration = RankerCalibration(specification.training.calibrator, fit.validated, net.heads)
            calibration.fitFinishRates(fit.validated, net.heads, dataset)
        }
        return fit
    }

    /// What the model says of held-back rows, calibrated by rows before them.
    struct HeldPredictions {
        var frozen: RankerPredictions
        var liveUsers: RankerPredictions
        var live: RankerPredictions
        /// As they came from the net.
        var raw: RankerPredictions
        var gates: GateStatistics?
        var counter: FeatureCounter
    }

    /// - Parameter replay: The state of the log just before the rows.
    func predictions(_ held: Range<Int>, from replay: Replay) -> HeldPredictions {
        let gates = training.model.makeGateStatistics()
        let counter = FeatureCounter(encoder.fitted.schema, like: encoder.fitted.coverage)
        let frozen = training.predictions(held, from: replay, updates: [])
        let liveUsers = training.predictions(held, from: replay, updates: .users)
        let live = training.predictions(held, from: replay, updates: .all, gates: gates, counter: counter)
        return HeldPredictions(
            frozen: frozen.calibrated(calibration, net.heads), liveUsers: liveUsers.calibrated(calibration, net.heads),
            live: live.calibrated(calibration, net.heads), raw: live, gates: gates, counter: counter)
    }

    /// Trains once on held-back rows; the calibrators that are shipped are fitted to what was predicted of them before.
    ///
    /// - Returns: the state of the log after them.
    func goOn(_ held: Range<Int>, predicted: RankerPredictions, from replay: Replay) throws -> Replay {
        if predicted.count > 0 {
            calibration = RankerCalibration(specification.training.calibrator, predicted, net.heads)
            calibration.fitFinishRates(predicted, net.heads, dataset)
        }
        var end = try training.goOn(held, from: replay).end
        end.advance(to: held.upperBound)
        return end
    }

    /// What the model says of the rows that it was trained on.
    func predictionsOfTraining(_ rows: Range<Int>) -> RankerPredictions {
        training.predictions(rows, from: start, updates: .all).calibrated(calibration, net.heads)
    }

    /// The model as it is now, as a ranker runs it, whatever is trained on later.
    ///
    /// - Parameter replay: The state of the log; its statistics are read.
    func stage(from replay: Replay, until moment: Int64) throws -> RankingModel {
        guard let statistics = replay.ranking else { preconditionFailure("a ranker's replay keeps its statistics") }
        return try RankingModel(
            RankingModel.Components(
                ranker: RecallComponents.opened(component(nil)),
                calibration: RecallComponents.opened(calibration.writer()), golden: nil),
            encoder: encoder,
            statistics: LiveStatistics(
                statistics, version: "", clock: LogClock(dataUntil: moment), itemIndex: encoder.itemIndex))
    }

    /// Some trials among rows, evenly spread, as they stood before each.
    func examples(_ rows: Range<Int>, from replay: Replay?, count: Int) -> RankingExamples {
        let log = dataset.exposures
        let step = max(rows.count(where: log.isTrial) / max(count, 1), 1)
        var replay = replay ?? start
        var seen = 0
        return replay.rankingExamples(
            rows, encoder: encoder,
            where: { row in
                guard log.isTrial(row) else { return false }
                defer { seen += 1 }
                return seen % step == 0
            })
    }

    /// Puts as many layers in bytes as lose no more than 0.001 of any head's AUC.
    ///
    /// - Parameter examples: Rows that were not trained on.
    /// - Returns: nil when that is not wanted, or the rows are too few to tell what is lost.
    func choosePrecisions(_ examples: RankingExamples) throws -> PrecisionChoice? {
        guard specification.training.int8 else { return nil }
        let file = try RecallComponents.opened(component(nil))
        let plain = try RankerNet(file)
        let measure = PrecisionMeasure(heads: net.heads, examples: examples)
        let areas = measure.areas(plain)
        // What cannot be measured stays float32.
        guard !areas.isEmpty else { return nil }
        return try PrecisionChoice.choose(layers: plain.byteCandidates) { precisions in
            zip(measure.areas(try RankerNet(file, precisions: precisions)), areas).map { $0 - $1 }.min() ?? 0
        }
    }

    /// The `ranker` component: the model as it is, with what makes its inputs.
    ///
    /// - Parameter precisions: nil: all float32.
    func component(_ precisions: [String: Precision]?) throws -> SafetensorsWriter {
        let description = RankerDescription(
            specification: net, rows: encoder.fitted.rows, precisions: precisions)
        var writer = try description.writer(training.parameters)
        try RankerFeatures.add(encoder.fitted, users: dataset.users.keys, to: &writer)
        return writer
    }
}
