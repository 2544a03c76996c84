import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks

/// Fits the two-tower model to the clicks of a log. What was shown and not clicked is never a negative here: an item's
/// negatives are the other clicked items of its batch.
final class TwoTowerTraining {
    let model: TwoTowerModel
    let parameters: ParameterSet
    private let fitting: Fitting
    private let log: ExposureTable
    private let columns: ItemFeatureColumns
    private let batch: Int
    /// `[N]`, log of the item's share of all clicks: its probability of being in a batch.
    private let logProbabilities: [Float]

    /// - Parameter counted: Rows whose clicks tell how often an item is drawn.
    init(
        _ specification: TwoTowerSpecification, sizes: TableSizes, log: ExposureTable, counted: Range<Int>,
        columns: ItemFeatureColumns, options: TrainingOptions, progress: TrainingProgress
    ) throws {
        parameters = ParameterSet(seed: options.seed &+ 1)
        model = try TwoTowerModel(specification, sizes: sizes, in: parameters)
        var configuration = Optimizer.Configuration()
        configuration.dense = .adam(learningRate: 1e-3)
        configuration.tables = .adagrad(learningRate: 0.05, initial: 1e-6)
        fitting = Fitting(
            parameters, optimizer: configuration, seed: options.seed &+ 1, threads: options.threads,
            progress: progress)
        self.log = log
        self.columns = columns
        batch = options.batch
        logProbabilities = Self.logProbabilities(log, counted, itemCount: columns.count)
    }

    /// Goes through the clicks of `rows` `epochs` times.
    ///
    /// - Parameter start: The state of the log just before `rows`.
    /// - Returns: the mean loss of each epoch, and the state of the log after `rows`.
    func fit(_ rows: Range<Int>, epochs: Int, from start: Replay) throws -> (losses: [Double], end: Replay) {
        var losses: [Double] = []
        var end = start
        for epoch in 0..<epochs {
            var replay = start
            for piece in rows.pieces(of: Fitting.stretch) {
                let table = replay.examples(
                    piece, crossFeatures: [], presentation: fitting.presentation,
                    where: { Actions(rawValue: self.log.actions[$0]).contains(.click) })
                try fit(table, done: epoch * rows.count + piece.lowerBound - rows.lowerBound, of: epochs * rows.count)
            }
            losses.append(fitting.takeLoss())
            if epoch == epochs - 1 { end = replay }
        }
        return (losses, end)
    }

    /// `[N, dimension]`, unit vectors of every catalogue item, in row order.
    func itemVectors(dataUntil: Int64) -> [Float] {
        ModelComponents.itemOutputs(
            columns: columns, dataUntil: dataUntil, width: model.specification.dimension
        ) { self.model.items($0, in: $1) }
    }

    /// `[n, dimension]`, unit vectors of users as they are now.
    func userVectors(_ states: [UserState], encoder: FeatureEncoder) -> [Float] {
        let workspace = Workspace()
        var vectors: [Float] = []
        var inputs = UserInputs()
        for piece in states.indices.pieces(of: batch) {
            workspace.reset()
            inputs.removeAll()
            for state in states[piece] { inputs.append(state, Scene(timeMilliseconds: 0), encoder: encoder) }
            model.users(inputs, in: workspace).withUnsafeBufferPointer { vectors.append(contentsOf: $0) }
        }
        return vectors
    }

    private func fit(_ table: ExampleTable, done: Int, of total: Int) throws {
        let order = fitting.shuffled(table.count)
        for piece in (0..<order.count).pieces(of: batch) where piece.count > 1 {
            var users = UserInputs()
            var items = ItemInputs()
            for row in order[piece] {
                users.append(table.users, row)
                items.append(row: table.items[row], age: table.itemAges[row], columns: columns)
            }
            let frequencies = order[piece].map { logProbabilities[Int(table.items[$0])] }
            try fitting.step(rows: piece.count) { tape in
                let loss = model.loss(users: users, items: items, logProbabilities: frequencies, on: tape)
                return (loss, loss)
            }
            fitting.progress.update(done: done + piece.upperBound, of: total, loss: fitting.meanLoss)
        }
    }

    private static func logProbabilities(_ log: ExposureTable, _ rows: Range<Int>, itemCount: Int) -> [Float] {
        // An item that is clicked later only counts as clicked once.
        var counts = [Double](repeating: 1, count: itemCount)
        for row in rows where Actions(rawValue: log.actions[row]).contains(.click) {
            counts[Int(log.items[row])] += 1
        }
        let total = counts.reduce(0, +)
        return counts.map { Float(Foundation.log($0 / total)) }
    }
}
