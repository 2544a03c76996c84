import Evaluation
import Kernels
import Models
import Networks

/// Trains a model with early stopping by the AUC of the validated rows, as the published runs do: after an epoch without a new
/// best the learning rate is a tenth of what it was, after two such epochs in a row training ends, and the best counts.
final class Fit {
    /// AUC and mean log loss.
    struct Quality: Codable {
        var area: Double
        var logLoss: Double
    }

    private static let epochsMax = 100
    private static let patience = 2
    /// Of the values that tables start from, whose deviation is then 1e-4, as in the published runs.
    private static let startScale: Float = 0.002
    private static let predictedTogether = 4_096

    private let contender: Contender
    private let model: RankerModel
    private let parameters: ParameterSet
    private let optimizer: Optimizer
    private let tape: Tape
    private let threads: Threads
    private var generator: SeededGenerator

    /// - Parameter tables: The rows of each field's table.
    init(_ contender: Contender, tables: [(name: String, rows: Int)], seed: UInt64, threads: Threads) throws {
        self.contender = contender
        self.threads = threads
        parameters = ParameterSet(seed: seed)
        model = try RankerModel(
            contender.specification(fields: tables.map(\.name)), rows: Dictionary(uniqueKeysWithValues: tables),
            in: parameters)
        // With a small start the values of rare features are what was learned of them.
        for table in parameters.tables { table.assign(table.array.map { Self.startScale * $0 }) }
        var configuration = Optimizer.Configuration()
        configuration.dense = .adam(learningRate: contender.learningRate)
        configuration.tables = .adam(learningRate: contender.learningRate)
        optimizer = Optimizer(parameters, configuration, threads: threads)
        tape = Tape(seed: seed, threads: threads)
        generator = SeededGenerator(seed: seed)
    }

    /// - Parameter report: Is told of every epoch: its number, the mean loss of its rows, and the validated rows' quality.
    /// - Returns: The quality on the validated rows of the model that is kept.
    func run(train: Rows, validation: Rows, report: (Int, Float, Quality) -> Void) -> Quality {
        var best = Quality(area: 0, logLoss: 0)
        var kept = optimizer.checkpoint()
        var without = 0
        for epoch in 1...Self.epochsMax {
            let loss = pass(train)
            let found = quality(validation)
            report(epoch, loss, found)
            if found.area > best.area {
                (best, without) = (found, 0)
                kept = optimizer.checkpoint()
            } else {
                without += 1
                optimizer.rateFactor *= 0.1
                if without == Self.patience { break }
            }
        }
        optimizer.restore(kept)
        return best
    }

    /// - Returns: The mean loss.
    private func pass(_ rows: Rows) -> Float {
        let order = Array(0..<rows.count).shuffled(using: &generator)
        var sum: Float = 0
        for first in stride(from: 0, to: order.count, by: contender.batch) {
            let batch = order[first..<min(first + contender.batch, order.count)]
            tape.reset()
            let loss = model.loss(rows.inputs(batch), rows.labels(batch), on: tape).total
            sum += loss[0, 0] * Float(batch.count)
            tape.backward(from: penalised(loss))
            optimizer.step()
        }
        return sum / Float(order.count)
    }

    private func penalised(_ loss: Tensor) -> Tensor {
        guard contender.l2 > 0 else { return loss }
        return parameters.tables.reduce(loss) { sum, table in
            let rows = tape.lookup(table, Array(0..<UInt32(table.rows)))
            return tape.add(sum, tape.scale(tape.sum(tape.multiply(rows, rows)), by: contender.l2 / 2))
        }
    }

    func quality(_ rows: Rows) -> Quality {
        let workspace = Workspace(threads: threads)
        var predictions: [Float] = []
        for first in stride(from: 0, to: rows.count, by: Self.predictedTogether) {
            workspace.reset()
            let batch = first..<min(first + Self.predictedTogether, rows.count)
            predictions += model.predictions(model(rows.inputs(batch), in: workspace)[0], head: 0)
        }
        let labels = rows.labels.map { $0 > 0 }
        return Quality(
            area: BinaryMetrics.areaUnderCurve(scores: predictions, labels: labels) ?? .nan,
            logLoss: BinaryMetrics.logLoss(probabilities: predictions, labels: labels) ?? .nan)
    }
}
