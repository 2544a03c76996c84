import Kernels
import Networks
import Testing

/// Five steps of each optimizer against PyTorch's (make_golden.py).
@Suite struct OptimizerTests {
    static let adam = UpdateRule.adam(learningRate: 0.03, beta1: 0.8, beta2: 0.99, epsilon: 1e-6)
    static let adagrad = UpdateRule.adagrad(learningRate: 0.2, initial: 0.1, epsilon: 1e-6)

    static func configuration(
        _ rule: UpdateRule, clip: Float? = nil, decay: Float = 0
    ) -> Optimizer.Configuration {
        var configuration = Optimizer.Configuration()
        configuration.dense = rule
        configuration.tables = rule
        configuration.clipNorm = clip
        configuration.weightDecay = decay
        return configuration
    }

    @Test(arguments: [
        ("adam", configuration(adam)), ("adamw", configuration(adam, decay: 0.1)),
        ("adam-clipped", configuration(adam, clip: 3)), ("adagrad", configuration(adagrad)),
    ])
    func matrices(_ name: String, _ configuration: Optimizer.Configuration) throws {
        let golden = try Golden("optimizers", file: "optimizers")
        let parameters = ParameterSet(seed: 1)
        let matrix = try golden.matrix("start", in: parameters)
        let optimizer = Optimizer(parameters, configuration, threads: Threads(2))
        let expected = try golden.floats(name)
        let gradients = try golden.floats("gradients")
        let tape = Tape(seed: 1)
        // The gradient of sum(I W * G) by W is G.
        let identity = (0..<36).map { $0 % 7 == 0 ? Float(1) : 0 }
        for step in 0..<5 {
            tape.reset()
            let y = tape.linear([tape.input(identity, columns: 6)], weight: matrix, bias: nil)
            let upstream = tape.input(gradients[step * 30..<(step + 1) * 30], columns: 5)
            tape.backward(from: tape.sum(tape.multiply(y, upstream)))
            optimizer.step()
            #expect(worstDifference(matrix.array, Array(expected[step * 30..<(step + 1) * 30])) < 2e-6)
        }
    }

    @Test(arguments: [
        // PyTorch's sparse Adam adds epsilon before the bias correction, its dense one (and ours) after it.
        ("adam-sparse", configuration(adam), 1e-5), ("adagrad-sparse", configuration(adagrad), 2e-6),
    ])
    func tables(_ name: String, _ configuration: Optimizer.Configuration, _ tolerance: Float) throws {
        let golden = try Golden("optimizers", file: "optimizers")
        let parameters = ParameterSet(seed: 1)
        let table = try golden.table("start", in: parameters)
        let optimizer = Optimizer(parameters, configuration, threads: Threads(2))
        let expected = try golden.floats(name)
        let gradients = try golden.floats("gradients")
        let touched = try golden.rows("touched")
        let tape = Tape(seed: 1)
        for step in 0..<5 {
            tape.reset()
            let rows = (0..<6).filter { touched[step * 6 + $0] == 1 }
            let y = tape.lookup(table, rows.map { UInt32($0) })
            let upstream = rows.flatMap { gradients[(step * 6 + $0) * 5..<(step * 6 + $0 + 1) * 5] }
            tape.backward(from: tape.sum(tape.multiply(y, tape.input(upstream, columns: 5))))
            optimizer.step()
            #expect(worstDifference(table.array, Array(expected[step * 30..<(step + 1) * 30])) < tolerance)
        }
    }

    /// Three steps of five, two that are taken back, and the last two again: PyTorch's values after all five.
    @Test(arguments: [("adam", adam), ("adagrad-sparse", adagrad)])
    func stepsAfterACheckpointCanBeTakenBack(_ name: String, _ rule: UpdateRule) throws {
        let golden = try Golden("optimizers", file: "optimizers")
        let parameters = ParameterSet(seed: 1)
        let start = try golden.floats("start")
        let isTable = name.hasSuffix("sparse")
        let parameter: Parameter =
            isTable ? try golden.table("start", in: parameters) : try golden.matrix("start", in: parameters)
        let optimizer = Optimizer(parameters, Self.configuration(rule))
        let (expected, gradients) = (try golden.floats(name), try golden.floats("gradients"))
        let touched = try golden.rows("touched")
        let tape = Tape(seed: 1)
        func step(_ step: Int, scaled factor: Float = 1) {
            tape.reset()
            let rows = (0..<6).filter { !isTable || touched[step * 6 + $0] == 1 }
            let own: [Float] = rows.flatMap { gradients[(step * 6 + $0) * 5..<(step * 6 + $0 + 1) * 5] }
            let upstream = own.map { factor * $0 }
            let identity = (0..<36).map { $0 % 7 == 0 ? Float(1) : 0 }
            let y =
                if let table = parameter as? EmbeddingTable {
                    tape.lookup(table, rows.map { UInt32($0) })
                } else {
                    tape.linear([tape.input(identity, columns: 6)], weight: parameters.matrices[0], bias: nil)
                }
            tape.backward(from: tape.sum(tape.multiply(y, tape.input(upstream, columns: 5))))
            optimizer.step()
        }
        for index in 0..<3 { step(index) }
        let checkpoint = optimizer.checkpoint()
        for index in 0..<2 { step(index, scaled: -3) }
        #expect(worstDifference(parameter.array, Array(expected[60..<90])) > 0.01)
        optimizer.restore(checkpoint)
        #expect(optimizer.steps == 3 && parameter.array != start)
        for index in 3..<5 { step(index) }
        #expect(worstDifference(parameter.array, Array(expected[120..<150])) < 2e-6)
    }

    @Test func rateFactorScalesTheStepAndTheNormIsThatOfAllGradients() throws {
        let parameters = ParameterSet(seed: 1)
        let matrix = try parameters.matrix("w", rows: 1, columns: 2, initial: .zeros)
        let table = try parameters.table("t", rows: 3, width: 2, initial: .zeros)
        let optimizer = Optimizer(parameters, OptimizerTests.configuration(.adagrad(learningRate: 1, initial: 0)))
        optimizer.rateFactor = 0.5
        let tape = Tape(seed: 1)
        let y = tape.add(
            tape.linear([tape.input([3], columns: 1)], weight: matrix, bias: nil), tape.lookup(table, [1]))
        tape.backward(from: tape.sum(y))
        // Gradients 3, 3 and 1, 1: length sqrt(20). Adagrad's first step is the learning rate, whatever the gradient.
        #expect(abs(optimizer.gradientNorm() - Float(20).squareRoot()) < 1e-6)
        optimizer.step()
        #expect(worstDifference(matrix.array, [-0.5, -0.5]) < 1e-6)
        #expect(worstDifference(table.array, [0, 0, -0.5, -0.5, 0, 0]) < 1e-6)
        #expect(optimizer.gradientNorm() == 0)
    }
}
