import Catalog
import Features
import Kernels
import Models
import Networks

/// Fits the ranker to the trials of a log.
final class RankingTraining {
    let model: RankerModel
    let parameters: ParameterSet
    private let fitting: Fitting
    private let options: RankingTrainingSpecification
    private let encoder: RankingEncoder
    private let log: ExposureTable
    private let threads: Threads
    /// Draws which rows without the sampled event stay.
    private var sampling: SeededGenerator

    /// - Parameters:
    ///   - net: For the data set; see `RankingSpecification.net(_:isLearned:)`.
    ///   - encoder: Makes its inputs.
    init(
        _ net: RankerSpecification, encoder: RankingEncoder, options: RankingTrainingSpecification,
        log: ExposureTable, seed: UInt64, threads: Int, progress: TrainingProgress
    ) throws {
        parameters = ParameterSet(seed: seed)
        model = try RankerModel(net, rows: encoder.fitted.rows, in: parameters)
        self.encoder = encoder
        self.options = options
        self.log = log
        self.threads = Threads(threads)
        sampling = SeededGenerator(seed: seed, stream: 0x7261_6e6b)
        var configuration = Optimizer.Configuration()
        configuration.dense = .adam(learningRate: options.learningRate)
        configuration.tables = .adagrad(learningRate: options.tableLearningRate, initial: 1e-6)
        configuration.weightDecay = options.weightDecay
        configuration.clipNorm = options.clipNorm
        fitting = Fitting(
            parameters, optimizer: configuration, seed: seed, threads: threads, progress: progress)
    }

    /// What ``fit(_:validated:from:)`` came to.
    struct Fit {
        /// Mean loss of each epoch on the rows it went through; of the validated rows last.
        var losses: [Double] = []
        /// The first head's loss on the validated rows after each epoch.
        var validationLosses: [Double] = []
        /// What was predicted of the validated rows before they were trained on.
        var validated = RankerPredictions()
        /// The state of the log after all rows.
        var end: Replay
    }

    /// Fits with early stopping by the first head's loss, as ``PreRankerTraining/fit(_:validated:epochs:from:)`` does by the
    /// click's.
    ///
    /// - Parameters:
    ///   - validated: The last of `rows`; without any, all epochs are made.
    ///   - start: The state of the log just before `rows`.
    func fit(_ rows: Range<Int>, validated: Range<Int>, from start: Replay) throws -> Fit {
        var result = Fit(end: start)
        let epochs = max(min(options.epochs, options.showingsMax / max(rows.count(where: log.isTrial), 1)), 1)
        guard !validated.isEmpty else {
            for epoch in 0..<epochs {
                let pass = try pass(rows, from: start, done: epoch * rows.count, of: epochs * rows.count)
                result.losses.append(pass.loss)
                result.end = pass.end
            }
            return result
        }
        let learned = rows.lowerBound..<validated.lowerBound
        var lowest = Double.infinity
        var best = fitting.checkpoint()
        for epoch in 0..<epochs {
            let pass = try pass(
                learned, from: start, done: epoch * learned.count, of: epochs * learned.count)
            result.losses.append(pass.loss)
            result.end = pass.end
            result.end.advance(to: validated.lowerBound)
            let predicted = predictions(validated, from: result.end, updates: .all)
            let loss = predicted.loss(of: 0, model.specification.heads)
            result.validationLosses.append(loss)
            guard loss < lowest else { break }
            lowest = loss
            best = fitting.checkpoint()
            result.validated = predicted
        }
        fitting.restore(best)
        let last = try goOn(validated, from: result.end)
        result.losses.append(last.loss)
        result.end = last.end
        return result
    }

    /// Goes once through rows after those that were trained on, with small steps: what is new is learned, what was learned
    /// stays.
    ///
    /// - Returns: the mean loss, and the state of the log after the rows.
    func goOn(_ rows: Range<Int>, from replay: Replay) throws -> (loss: Double, end: Replay) {
        try pass(rows, from: replay, rates: (options.lastRate, options.lastRate), done: 0, of: rows.count)
    }

    /// Goes once through `rows`, each with the features as they stood before it.
    ///
    /// - Parameter rates: What learning rates are multiplied by at the beginning and at the end.
    /// - Returns: the mean loss, and the state of the log after the rows.
    private func pass(
        _ rows: Range<Int>, from start: Replay, rates: (Float, Float)? = nil, done: Int, of total: Int
    ) throws -> (loss: Double, end: Replay) {
        var replay = start
        let rates = rates ?? (1, options.rateDecay)
        let trials = Float(max(rows.count(where: log.isTrial), 1))
        var (passed, seen) = (0, 0)
        for piece in rows.pieces(of: Fitting.stretch) {
            let examples = replay.rankingExamples(
                piece, encoder: encoder, presentation: presentation,
                isAnonymous: { [fitting, options] in fitting.chance(options.unknownItems) },
                where: { [log] in log.isTrial($0) && self.keeps($0) })
            seen += piece.count(where: log.isTrial)
            // Of rows that are left out by sampling, the others stand for them.
            let weight = Float(seen - passed) / Float(max(examples.count, 1))
            try fit(examples, done: done + piece.lowerBound - rows.lowerBound, of: total) { row in
                let share = (Float(passed) + weight * Float(row)) / trials
                return rates.0 + (rates.1 - rates.0) * share
            }
            passed = seen
        }
        return (fitting.takeLoss(), replay)
    }

    private func presentation() -> Replay.Presentation {
        fitting.presentation(unknown: options.unknownUsers)
    }

    private func keeps(_ row: Int) -> Bool {
        guard let negatives = model.specification.negatives,
            let head = model.specification.heads.first(where: { $0.name == negatives.head }), let action = head.action
        else { return true }
        let isPositive = Actions(rawValue: log.actions[row]).contains(action)
        return negatives.keeps(isPositive: isPositive, using: &sampling)
    }

    /// - Parameter rate: What learning rates are multiplied by, before so many of the examples.
    private func fit(
        _ examples: RankingExamples, done: Int, of total: Int, rate: (Int) -> Float
    ) throws {
        let order = fitting.shuffled(examples.count)
        for piece in (0..<order.count).pieces(of: options.batch) {
            let rows = Array(order[piece])
            let inputs = examples.inputs(of: rows)
            let labels = RankerLabels(model.specification.heads, rows.map { examples.outcomes[$0] })
            fitting.optimizer.rateFactor = rate(piece.lowerBound)
            try fitting.step(rows: rows.count) { tape in
                let loss = model.loss(inputs, labels, on: tape)
                return (loss.total, loss.total)
            }
            fitting.progress.update(done: done + piece.upperBound, of: total, loss: fitting.meanLoss)
        }
    }

    /// What the model predicts of the trials among `rows`.
    ///
    /// - Parameters:
    ///   - updates: What of the log they see: nothing later than where `replay` stands, or users, or all.
    ///   - gates: Is told of the gates of experts.
    ///   - counter: Is told of every feature's values.
    func predictions(
        _ rows: Range<Int>, from replay: Replay, updates: Replay.Updates, gates: GateStatistics? = nil,
        counter: FeatureCounter? = nil
    ) -> RankerPredictions {
        var replay = replay
        var result = RankerPredictions(heads: model.specification.heads.count)
        let workspace = Workspace(threads: threads)
        for piece in rows.pieces(of: Fitting.stretch) {
            let examples = replay.rankingExamples(
                piece, encoder: encoder, updates: updates, counter: counter, where: log.isTrial)
            for batch in (0..<examples.count).pieces(of: Self.predictedTogether) {
                workspace.reset()
                let logits = model(examples.inputs(of: batch), in: workspace, statistics: gates)
                for (head, values) in logits.enumerated() {
                    result.heads[head] += model.predictions(values, head: head)
                }
            }
            result.add(examples, model.specification.heads)
        }
        return result
    }

    private static let predictedTogether = 2_048
}
