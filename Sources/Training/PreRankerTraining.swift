import Catalog
import Evaluation
import Features
import Kernels
import Models
import Networks

/// Fits the three-tower pre-ranker to the trials of a log.
final class PreRankerTraining {
    let model: ThreeTowerModel
    let parameters: ParameterSet
    private let fitting: Fitting
    let log: ExposureTable
    private let columns: ItemFeatureColumns
    private let batch: Int
    /// By row of the log, what the ranker says of a click; NaN where it was not asked, empty without it.
    private let teacher: [Float]

    /// Share of showings whose item is presented as unknown: keeps the model good for new items.
    private static let anonymity: Float = 0.1

    init(
        _ specification: ThreeTowerSpecification, sizes: TableSizes, clickLogOdds: Float, log: ExposureTable,
        columns: ItemFeatureColumns, teacher: [Float] = [], options: TrainingOptions, progress: TrainingProgress
    ) throws {
        self.teacher = teacher
        parameters = ParameterSet(seed: options.seed)
        model = try ThreeTowerModel(specification, sizes: sizes, in: parameters)
        model.startAsRateModel(clickLogOdds: clickLogOdds)
        var configuration = Optimizer.Configuration()
        configuration.dense = .adam(learningRate: 1e-3)
        configuration.tables = .adagrad(learningRate: 0.02, initial: 1e-6)
        configuration.weightDecay = 1e-3
        fitting = Fitting(
            parameters, optimizer: configuration, seed: options.seed, threads: options.threads, progress: progress)
        self.log = log
        self.columns = columns
        batch = options.batch
    }

    /// Goes through `rows` `epochs` times, each time with the features as they stood before each row.
    ///
    /// - Parameter start: The state of the log just before `rows`.
    /// - Returns: the mean click loss of each epoch, and the state of the log after `rows`.
    func fit(_ rows: Range<Int>, epochs: Int, from start: Replay) throws -> (losses: [Double], end: Replay) {
        var losses: [Double] = []
        var end = start
        for epoch in 0..<epochs {
            var replay = start
            for piece in rows.pieces(of: Fitting.stretch) {
                let table = replay.examples(
                    piece, crossFeatures: model.specification.cross,
                    presentation: fitting.presentation, where: log.isTrial)
                try fit(table, done: epoch * rows.count + piece.lowerBound - rows.lowerBound, of: epochs * rows.count)
            }
            losses.append(fitting.takeLoss())
            if epoch == epochs - 1 { end = replay }
        }
        return (losses, end)
    }

    /// What ``fit(_:validated:epochs:from:)`` came to.
    struct Fit {
        /// Mean click loss of each epoch on the rows it went through; of the validated rows last.
        var losses: [Double] = []
        /// Click loss on the validated rows before training, then after each epoch.
        var validationLosses: [Double] = []
        /// The state of the log after all rows.
        var end: Replay
    }

    /// Fits with early stopping (Prechelt, "Early stopping - but when?", 1998): goes through the rows before the
    /// validated ones for as long as each epoch lowers the click loss on these, returns to the best epoch, and goes
    /// through the validated rows too, once.
    ///
    /// The start is one of the candidates: where training does not help, the rate model stays. Models with embeddings
    /// of ids need the stop: they can fall off from one epoch to the next (Zhang et al., CIKM 2022).
    ///
    /// - Parameters:
    ///   - validated: The last of `rows`; without any, all epochs are made.
    ///   - epochs: At most.
    ///   - start: The state of the log just before `rows`.
    func fit(_ rows: Range<Int>, validated: Range<Int>, epochs: Int, from start: Replay) throws -> Fit {
        guard !validated.isEmpty else {
            let all = try fit(rows, epochs: epochs, from: start)
            return Fit(losses: all.losses, end: all.end)
        }
        var result = Fit(end: start)
        result.end.advance(to: validated.lowerBound)
        var lowest = loss(validated, from: result.end)
        var best = fitting.checkpoint()
        result.validationLosses.append(lowest)
        for _ in 0..<epochs {
            result.losses += try fit(rows.lowerBound..<validated.lowerBound, epochs: 1, from: start).losses
            let loss = loss(validated, from: result.end)
            result.validationLosses.append(loss)
            guard loss < lowest else { break }
            lowest = loss
            best = fitting.checkpoint()
        }
        fitting.restore(best)
        let last = try fit(validated, epochs: 1, from: result.end)
        result.losses += last.losses
        result.end = last.end
        return result
    }

    /// Mean click loss of rows as they would be served: user states follow them, item statistics stay as `replay` has
    /// them.
    private func loss(_ rows: Range<Int>, from replay: Replay) -> Double {
        var replay = replay
        var sum = 0.0
        var count = 0
        for piece in rows.pieces(of: Fitting.stretch) {
            let table = replay.examples(
                piece, crossFeatures: model.specification.cross, updates: .users, where: log.isTrial)
            let loss = BinaryMetrics.logLoss(
                probabilities: probabilities(table), labels: table.outcomes.map(\.isClick))
            sum += (loss ?? 0) * Double(table.count)
            count += table.count
        }
        return count > 0 ? sum / Double(count) : 0
    }

    /// Click probabilities of examples.
    func probabilities(_ table: ExampleTable) -> [Float] {
        let workspace = Workspace()
        var scores: [Float] = []
        scores.reserveCapacity(table.count)
        for piece in (0..<table.count).pieces(of: batch) {
            workspace.reset()
            let batch = Batch(table, Array(piece), features: model.specification.cross.count, columns: columns)
            let outputs = model.head(
                users: model.users(batch.users, in: workspace), items: model.items(batch.items, in: workspace),
                features: workspace.input(batch.features, columns: model.specification.cross.count), in: workspace)
            outputs.click.withUnsafeBufferPointer { logits in
                scores.append(contentsOf: logits.lazy.map { 1 / (1 + exponential(-$0)) })
            }
        }
        return scores
    }

    private func fit(_ table: ExampleTable, done: Int, of total: Int) throws {
        let order = fitting.shuffled(table.count)
        let features = model.specification.cross.count
        for piece in (0..<order.count).pieces(of: batch) {
            let batch = Batch(
                table, order[piece], features: features, columns: columns,
                isAnonymous: { [fitting] in fitting.chance(Self.anonymity) })
            let taught = teacher.isEmpty ? [] : order[piece].map { teacher[Int(table.rows[$0])] }
            try fitting.step(rows: piece.count) { tape in
                let loss = model.loss(
                    users: batch.users, items: batch.items, features: batch.features, outcomes: batch.outcomes,
                    teacher: taught, on: tape)
                return (loss.total, loss.click)
            }
            fitting.progress.update(done: done + piece.upperBound, of: total, loss: fitting.meanLoss)
        }
    }
}

/// Rows of an example table, gathered for one step.
private struct Batch {
    var users = UserInputs()
    var items = ItemInputs()
    /// `[n, features]`.
    var features: [Float] = []
    var outcomes: [Outcome] = []

    init(
        _ table: ExampleTable, _ rows: some Collection<Int>, features width: Int, columns: ItemFeatureColumns,
        isAnonymous: () -> Bool = { false }
    ) {
        features.reserveCapacity(rows.count * width)
        for row in rows {
            users.append(table.users, row)
            items.append(
                row: table.items[row], age: table.itemAges[row], columns: columns, isAnonymous: isAnonymous())
            features.append(contentsOf: table.cross[row * width..<(row + 1) * width])
            outcomes.append(table.outcomes[row])
        }
    }
}
