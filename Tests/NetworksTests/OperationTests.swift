import Kernels
import Networks
import Testing

/// Every operation's result and gradients against PyTorch's (make_golden.py).
@Suite struct OperationTests {
    let tape = Tape(seed: 1, threads: Threads(2))
    let parameters = ParameterSet(seed: 1)

    @Test(arguments: Activation.allCases)
    func linearLayersWithTheirActivation(_ activation: Activation) throws {
        let golden = try Golden("linear-\(activation)")
        let x = try golden.input("x", on: tape)
        let weight = try golden.matrix("weight", in: parameters)
        let bias = try golden.matrix("bias", in: parameters)
        let y = tape.linear([x], weight: weight, bias: bias, activation: activation)
        try golden.check(y, on: tape, inputs: ["x": x], matrices: [weight, bias])
    }

    @Test func linearLayerOfOneColumn() throws {
        let golden = try Golden("linear-column")
        let x = try golden.input("x", on: tape)
        let weight = try golden.matrix("weight", in: parameters)
        let bias = try golden.matrix("bias", in: parameters)
        let y = tape.linear([x], weight: weight, bias: bias, activation: .sigmoid)
        try golden.check(y, on: tape, inputs: ["x": x], matrices: [weight, bias])
    }

    @Test func linearLayerOverPartsOfWhichOneIsSharedByAllRows() throws {
        let golden = try Golden("linear-parts")
        let inputs = try ["user", "item", "cross"].map { ($0, try golden.input($0, on: tape)) }
        let weight = try golden.matrix("weight", in: parameters)
        let bias = try golden.matrix("bias", in: parameters)
        let y = tape.linear(inputs.map(\.1), weight: weight, bias: bias, activation: .relu)
        try golden.check(
            y, on: tape, inputs: Dictionary(uniqueKeysWithValues: inputs), matrices: [weight, bias])
    }

    @Test(arguments: Activation.allCases)
    func activations(_ activation: Activation) throws {
        let golden = try Golden("activate-\(activation)")
        let x = try golden.input("x", on: tape)
        try golden.check(tape.activate(x, activation), on: tape, inputs: ["x": x])
    }

    @Test func lookupOfRowsWithRepetition() throws {
        let golden = try Golden("lookup")
        let table = try golden.table("table", in: parameters)
        try golden.check(tape.lookup(table, try golden.rows("rows")), on: tape, tables: [table])
    }

    @Test func lookupOfOneColumnOfManyFields() throws {
        let golden = try Golden("lookup")
        let table = try golden.table("table", in: parameters)
        let wide: [UInt32] = try golden.rows("rows").flatMap { row -> [UInt32] in [99, row, 98] }
        try golden.check(tape.lookup(table, wide, first: 1, stride: 3), on: tape, tables: [table])
    }

    @Test func aPaddingRowGetsNoGradient() throws {
        let golden = try Golden("padded")
        let table = try parameters.table("table", rows: 11, width: 9, padding: 3)
        #expect(table.row(3).allSatisfy { $0 == 0 } && table.row(2).allSatisfy { $0 != 0 })
        table.assign(try golden.floats("table"))
        try golden.check(tape.lookup(table, try golden.rows("rows")), on: tape, tables: [table])
        Optimizer(parameters).step()
        #expect(table.row(3) == Array(try golden.floats("table")[27..<36]))
        #expect(table.row(0) != Array(try golden.floats("table")[0..<9]))
    }

    @Test(arguments: [("sum", Pooling.sum), ("mean", .mean)])
    func pooledLookupWithAnEmptyList(_ name: String, _ pooling: Pooling) throws {
        let golden = try Golden("pooled-\(name)")
        let table = try golden.table("table", in: parameters)
        let lists = RaggedRows(rows: try golden.rows("rows"), offsets: try golden.integers("offsets"))
        try golden.check(tape.lookup(table, lists, pooling: pooling), on: tape, tables: [table])
    }

    @Test func elementwise() throws {
        var golden = try Golden("add")
        var (a, b) = (try golden.input("a", on: tape), try golden.input("b", on: tape))
        try golden.check(tape.add(a, b), on: tape, inputs: ["a": a, "b": b])
        tape.reset()
        golden = try Golden("multiply")
        (a, b) = (try golden.input("a", on: tape), try golden.input("b", on: tape))
        try golden.check(tape.multiply(a, b), on: tape, inputs: ["a": a, "b": b])
        tape.reset()
        golden = try Golden("square")
        a = try golden.input("a", on: tape)
        try golden.check(tape.multiply(a, a), on: tape, inputs: ["a": a])
        tape.reset()
        golden = try Golden("scale")
        a = try golden.input("a", on: tape)
        try golden.check(tape.scale(a, by: -2.5), on: tape, inputs: ["a": a])
    }

    @Test func shapes() throws {
        var golden = try Golden("concatenate")
        let parts = try ["a", "c", "b"].map { ($0, try golden.input($0, on: tape)) }
        try golden.check(
            tape.concatenate(parts.map(\.1)), on: tape, inputs: Dictionary(uniqueKeysWithValues: parts))
        tape.reset()
        golden = try Golden("columns")
        var a = try golden.input("a", on: tape)
        try golden.check(tape.columns(a, 2..<7), on: tape, inputs: ["a": a])
        tape.reset()
        golden = try Golden("rows")
        a = try golden.input("a", on: tape)
        try golden.check(tape.rows(a, try golden.rows("rows")), on: tape, inputs: ["a": a])
    }

    @Test func matching() throws {
        var golden = try Golden("rowDot")
        var (a, b) = (try golden.input("a", on: tape), try golden.input("b", on: tape))
        try golden.check(tape.rowDot(a, b), on: tape, inputs: ["a": a, "b": b])
        tape.reset()
        golden = try Golden("normalizeRows")
        a = try golden.input("a", on: tape)
        try golden.check(tape.normalizeRows(a), on: tape, inputs: ["a": a])
        tape.reset()
        golden = try Golden("product")
        (a, b) = (try golden.input("a", on: tape), try golden.input("d", on: tape))
        try golden.check(tape.product(a, transposed: b), on: tape, inputs: ["a": a, "d": b])
    }

    @Test func layerNormalization() throws {
        let golden = try Golden("layerNorm")
        let a = try golden.input("a", on: tape)
        let scale = try golden.matrix("scale", in: parameters)
        let shift = try golden.matrix("shift", in: parameters)
        let y = tape.layerNorm(a, scale: scale, shift: shift)
        try golden.check(y, on: tape, inputs: ["a": a], matrices: [scale, shift])
    }

    @Test func dropoutKeepsTheMeanAndItsGradientIsItsMask() throws {
        let x = tape.input([Float](repeating: 2, count: 40_000), columns: 100)
        tape.track(x)
        let y = tape.dropout(x, probability: 0.25)
        tape.backward(from: tape.sum(y))
        let values = y.array
        #expect(Set(values) == [0, 2 / 0.75])
        // Five standard errors of a share of 40,000: 5 * sqrt(0.25 * 0.75 / 40,000) = 0.011.
        let dropped = Double(values.count { $0 == 0 }) / 40_000
        #expect(abs(dropped - 0.25) < 0.011)
        #expect(tape.gradientArray(of: x) == values.map { $0 / 2 })
        let workspace = Workspace()
        let plain = workspace.input([1, 2, 3], columns: 3)
        #expect(workspace.dropout(plain, probability: 0.9).array == [1, 2, 3])
    }

    @Test func frozenParametersGetNoGradient() throws {
        let golden = try Golden("linear-relu")
        let weight = try golden.matrix("weight", in: parameters)
        let bias = try golden.matrix("bias", in: parameters)
        weight.isTrained = false
        let x = tape.input(try golden.floats("x"), columns: 7)
        let y = tape.linear([x], weight: weight, bias: bias, activation: .relu)
        tape.backward(from: tape.sum(y))
        #expect(weight.gradientArray.allSatisfy { $0 == 0 })
        #expect(bias.gradientArray.contains { $0 != 0 })
        #expect(tape.gradientArray(of: x).allSatisfy { $0 == 0 })
    }
}
