import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Recall

/// Fits Deep Retrieval to the clicks of a log (Gao et al. 2020, section 2.4): the nets, by gradients, given the items' paths;
/// and the paths, by what the nets make of the users who clicked an item.
///
/// A part of the log at a time: after the nets were fitted to it, the beams of its users are added to the scores of what
/// they clicked, and now and then the items choose paths by those scores; in the last epoch they stay where they are.
/// Memory: the model, one stretch of the log, and `candidates` paths of every item (``PathScores``).
final class DeepRetrievalTraining {
    let model: DeepRetrievalModel
    let parameters: ParameterSet
    private(set) var paths: ItemPaths
    private var scores: PathScores
    private let fitting: Fitting
    private let log: ExposureTable
    private let columns: ItemFeatureColumns
    private let batch: Int
    private let workspace: Workspace
    /// `[N]`, log of the item's share of all clicks.
    private let logProbabilities: [Float]
    private var generator: SeededGenerator
    private var isFitted = false

    private var specification: DeepRetrievalSpecification { model.specification }

    /// Times that the items choose in one path step.
    private static let passes = 3
    /// What scores keep over a path step: the nets that gave them change.
    private static let memory: Float = 0.5

    init(_ specification: DeepRetrievalSpecification, sizes: TableSizes, log: RecallLog) throws {
        let seed = log.options.seed &+ 3
        parameters = ParameterSet(seed: seed)
        model = try DeepRetrievalModel(specification, sizes: sizes, in: parameters)
        var configuration = Optimizer.Configuration()
        configuration.dense = .adam(learningRate: 1e-3)
        configuration.tables = .adagrad(learningRate: 0.05, initial: 1e-6)
        fitting = Fitting(
            parameters, optimizer: configuration, seed: seed, threads: log.options.threads, progress: log.progress)
        self.log = log.dataset.exposures
        columns = log.columns
        batch = log.options.batch
        workspace = Workspace(threads: Threads(log.options.threads))
        logProbabilities = Self.logProbabilities(log)
        generator = SeededGenerator(seed: seed, stream: 0x7061_7468)
        paths = ItemPaths(specification.space, width: specification.paths, items: log.columns.count)
        scores = PathScores(items: log.columns.count, slots: specification.candidates)
    }

    /// Goes through the clicks of `rows` `epochs` times.
    ///
    /// - Parameter start: The state of the log just before `rows`.
    /// - Returns: the mean loss of the paths in each epoch, and the state of the log after `rows`.
    func fit(_ rows: Range<Int>, epochs: Int, from start: Replay) throws -> (losses: [Double], end: Replay) {
        var losses: [Double] = []
        var end = start
        for epoch in 0..<epochs {
            end = start
            let isLast = epoch == epochs - 1
            for piece in rows.pieces(of: pieceSize(rows)) {
                let table = end.examples(
                    piece, crossFeatures: [], presentation: fitting.presentation,
                    where: { Actions(rawValue: self.log.actions[$0]).contains(.click) })
                if epoch == 0 { givePaths(table) }
                let done = piece.lowerBound - rows.lowerBound
                try fit(table, done: epoch * rows.count + done, of: epochs * rows.count)
                if isLast { continue }
                addBeams(table)
                let steps = (done, done + piece.count)
                if steps.0 * specification.pathSteps / rows.count < steps.1 * specification.pathSteps / rows.count {
                    choosePaths(of: columns.keys.indices.filter { paths.hasPaths[$0] })
                }
            }
            losses.append(fitting.takeLoss())
        }
        isFitted = true
        return (losses, end)
    }

    /// Rows of the log whose features are made at a time: no more than lie between two path steps.
    private func pieceSize(_ rows: Range<Int>) -> Int {
        min(Fitting.stretch, max(1, (rows.count + specification.pathSteps - 1) / specification.pathSteps))
    }

    /// `[N, dimension]`, unit vectors of every catalogue item, in row order.
    func itemVectors(dataUntil: Int64) -> [Float] {
        ModelComponents.itemOutputs(columns: columns, dataUntil: dataUntil, width: specification.dimension) {
            self.model.items($0, in: $1)
        }
    }

    /// Items that were not clicked before get paths: drawn ones when nothing is learned yet, else those of their users.
    private func givePaths(_ table: ExampleTable) {
        let newcomers = Set(table.items.filter { !paths.hasPaths[Int($0)] }).map { Int($0) }.sorted()
        for item in newcomers { paths.draw(item, &generator) }
        if isFitted, !newcomers.isEmpty {
            addBeams(table, of: Set(newcomers.map { UInt32($0) }))
            choosePaths(of: newcomers)
        }
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
            let led = order[piece].flatMap { paths.paths(of: Int(table.items[$0])) }
            let frequencies = order[piece].map { logProbabilities[Int(table.items[$0])] }
            try fitting.step(rows: piece.count) { tape in
                let x = model.users(users, in: tape)
                let loss = model.pathLoss(x, paths: led, on: tape)
                let scorer = model.scorerLoss(x, items: items, logProbabilities: frequencies, on: tape)
                return (tape.add(loss, tape.scale(scorer, by: specification.scorerWeight)), loss)
            }
            fitting.progress.update(done: done + piece.upperBound, of: total, loss: fitting.meanLoss)
        }
    }

    /// Adds p(path | user) of the beam of each example's user to the scores of the item he clicked. Users presented as
    /// unknown say nothing.
    ///
    /// - Parameter chosen: items that get scores; nil: all.
    private func addBeams(_ table: ExampleTable, of chosen: Set<UInt32>? = nil) {
        let rows = (0..<table.count).filter {
            table.users.users[$0] != 0 && chosen?.contains(table.items[$0]) ?? true
        }
        var users = UserInputs()
        for piece in rows.indices.pieces(of: batch) {
            workspace.reset()
            users.removeAll()
            for row in rows[piece] { users.append(table.users, row) }
            let beams = model.beams(
                model.users(users, in: workspace), width: specification.trainingBeam, in: workspace)
            for (place, row) in rows[piece].enumerated() {
                let range = place * beams.width..<(place + 1) * beams.width
                scores.add(
                    item: Int(table.items[row]), paths: beams.paths[range],
                    logProbabilities: beams.logProbabilities[range])
            }
        }
    }

    /// The path step.
    private func choosePaths(of items: [Int]) {
        let order = items.shuffled(using: &generator)
        paths.improve(order, by: scores, alpha: specification.alpha, passes: Self.passes)
        scores.scale(by: Self.memory)
    }

    private static func logProbabilities(_ log: RecallLog) -> [Float] {
        // An item that is clicked later only counts as clicked once.
        var counts = [Double](repeating: 1, count: log.columns.count)
        let exposures = log.dataset.exposures
        for row in log.rows where Actions(rawValue: exposures.actions[row]).contains(.click) {
            counts[Int(exposures.items[row])] += 1
        }
        let total = counts.reduce(0, +)
        return counts.map { Float(Foundation.log($0 / total)) }
    }
}
