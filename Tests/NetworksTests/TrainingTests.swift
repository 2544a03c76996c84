import Kernels
import Networks
import Testing

/// A small two-tower model, as a user of the target would write one.
struct TwoTowers {
    let users: EmbeddingTable
    let items: EmbeddingTable
    let tower: MLP
    let head: Dense

    init(in parameters: ParameterSet) throws {
        users = try parameters.table("user", rows: 20, width: 8)
        items = try parameters.table("item", rows: 30, width: 8)
        tower = try MLP("tower", inputs: 16, widths: [16, 8], in: parameters)
        head = try Dense("head", inputs: 8, outputs: 8, in: parameters)
    }

    func userVectors(_ rows: [UInt32], _ recent: RaggedRows, in workspace: Workspace) -> Tensor {
        let user = workspace.lookup(users, rows)
        let history = workspace.lookup(items, recent, pooling: .mean)
        return workspace.normalizeRows(tower([user, history], in: workspace))
    }

    func itemVectors(_ rows: [UInt32], in workspace: Workspace) -> Tensor {
        workspace.normalizeRows(head(workspace.lookup(items, rows), in: workspace))
    }
}

@Suite struct TrainingTests {
    static let steps = 12
    static let batch = 16
    static let history = 5

    static func train(_ parameters: ParameterSet, threads: Threads) throws -> (losses: [Float], model: TwoTowers) {
        let golden = try Golden("training", file: "training")
        let model = try TwoTowers(in: parameters)
        for parameter in parameters.all { parameter.assign(try golden.floats("start.\(parameter.name)")) }
        let (users, items, recent) = (
            try golden.rows("users"), try golden.rows("items"), try golden.rows("recent")
        )
        var configuration = Optimizer.Configuration()
        configuration.dense = .adam(learningRate: 0.01)
        configuration.tables = .adagrad(learningRate: 0.05, initial: 0.1, epsilon: 1e-8)
        let optimizer = Optimizer(parameters, configuration, threads: threads)
        let tape = Tape(seed: 1, threads: threads)
        let offsets = (0...batch).map { $0 * history }
        var losses: [Float] = []
        for step in 0..<steps {
            tape.reset()
            let rows = step * batch..<(step + 1) * batch
            let lists = RaggedRows(
                rows: Array(recent[rows.lowerBound * history..<rows.upperBound * history]), offsets: offsets)
            let a = model.userVectors(Array(users[rows]), lists, in: tape)
            let b = model.itemVectors(Array(items[rows]), in: tape)
            let loss = tape.softmaxCrossEntropy(tape.scale(tape.product(a, transposed: b), by: 10))
            tape.backward(from: loss)
            optimizer.step()
            losses.append(loss[0, 0])
        }
        return (losses, model)
    }

    @Test func everyStepOfATwoTowerModelMatchesPyTorch() throws {
        let golden = try Golden("training", file: "training")
        let parameters = ParameterSet(seed: 1)
        let (losses, _) = try TrainingTests.train(parameters, threads: Threads(2))
        #expect(worstDifference(losses, try golden.floats("losses")) < 2e-5)
        for parameter in parameters.all {
            #expect(
                worstDifference(parameter.array, try golden.floats("end.\(parameter.name)")) < 1e-4,
                "\(parameter.name)")
        }
    }

    /// Three steps large enough for every operation to divide its work.
    static func trainLarge(threads: Threads) throws -> [[Float]] {
        let parameters = ParameterSet(seed: 1)
        let table = try parameters.table("items", rows: 5000, width: 32)
        let tower = try MLP("tower", inputs: 64, widths: [300, 64], dropout: 0.1, in: parameters)
        let norm = try LayerNorm("norm", width: 64, in: parameters)
        let optimizer = Optimizer(parameters, threads: threads)
        let tape = Tape(seed: 2, threads: threads)
        var generator = SeededGenerator(seed: 3)
        let rows = 600
        for _ in 0..<3 {
            tape.reset()
            let lists = RaggedRows(
                rows: (0..<rows * 10).map { _ in UInt32.random(in: 0..<5000, using: &generator) },
                offsets: (0...rows).map { $0 * 10 })
            let own = tape.lookup(table, Array(lists.rows.prefix(rows)))
            let x = tower([own, tape.lookup(table, lists, pooling: .mean)], in: tape)
            let a = tape.normalizeRows(tape.activate(norm(x, in: tape), .tanh))
            let correction = SoftmaxCorrection(identities: lists.rows.prefix(rows).map { UInt64($0) })
            let loss = tape.softmaxCrossEntropy(tape.product(a, transposed: a), correction: correction)
            tape.backward(from: loss)
            optimizer.step()
        }
        return parameters.all.map(\.array)
    }

    @Test func theResultDoesNotDependOnTheThreads() throws {
        let alone = try TrainingTests.trainLarge(threads: .one)
        #expect(try TrainingTests.trainLarge(threads: Threads(2)) == alone)
        #expect(try TrainingTests.trainLarge(threads: Threads(3)) == alone)
        #expect(alone.allSatisfy { $0.contains { $0 != 0 } && $0.allSatisfy(\.isFinite) })
    }
}
