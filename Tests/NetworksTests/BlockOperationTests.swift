import Kernels
import Networks
import Testing

/// The operations of ranking blocks against PyTorch's (make_blocks.py).
@Suite struct BlockOperationTests {
    let tape = Tape(seed: 1, threads: Threads(2))
    let parameters = ParameterSet(seed: 1)

    private func golden(_ name: String) throws -> Golden { try Golden(name, file: "blocks") }

    @Test func elementwise() throws {
        var golden = try golden("subtract")
        var (a, b) = (try golden.input("a", on: tape), try golden.input("b", on: tape))
        try golden.check(tape.subtract(a, b), on: tape, inputs: ["a": a, "b": b])
        tape.reset()
        golden = try self.golden("multiplyAdd")
        (a, b) = (try golden.input("a", on: tape), try golden.input("b", on: tape))
        let c = try golden.input("c", on: tape)
        try golden.check(tape.multiplyAdd(a, b, c), on: tape, inputs: ["a": a, "b": b, "c": c])
    }

    @Test func softmaxOfRows() throws {
        let golden = try golden("softmaxRows")
        let x = try golden.input("x", on: tape)
        try golden.check(tape.softmaxRows(x), on: tape, inputs: ["x": x])
    }

    @Test func gatesOfWhichSomeWereDroppedSumToOneAgain() throws {
        let golden = try golden("renormalized")
        let x = try golden.input("x", on: tape)
        let mask = tape.input(try golden.floats("mask"), columns: 5)
        try golden.check(tape.renormalized(tape.softmaxRows(x), mask: mask), on: tape, inputs: ["x": x])
    }

    @Test func mixture() throws {
        let golden = try golden("mixture")
        let parts = try (0..<3).map { try golden.input("part\($0)", on: tape) }
        let weights = try golden.input("weights", on: tape)
        try golden.check(
            tape.mixture(parts, weights: weights), on: tape,
            inputs: ["weights": weights, "part0": parts[0], "part1": parts[1], "part2": parts[2]])
    }

    @Test func fields() throws {
        let layout = FieldLayout(widths: [3, 5, 1, 4])
        var golden = try golden("fieldMeans")
        var x = try golden.input("x", on: tape)
        try golden.check(tape.fieldMeans(x, layout), on: tape, inputs: ["x": x])
        tape.reset()
        golden = try self.golden("scaleFields")
        x = try golden.input("x", on: tape)
        let w = try golden.input("w", on: tape)
        try golden.check(tape.scaleFields(x, layout, by: w), on: tape, inputs: ["x": x, "w": w])
        tape.reset()
        golden = try self.golden("pairwiseSum")
        x = try golden.input("x", on: tape)
        try golden.check(tape.pairwiseSum(x, width: 4), on: tape, inputs: ["x": x])
        tape.reset()
        golden = try self.golden("embedNumbers")
        x = try golden.input("x", on: tape)
        let factors = try golden.matrix("factors", in: parameters)
        try golden.check(tape.embedNumbers(x, factors: factors), on: tape, inputs: ["x": x], matrices: [factors])
    }

    @Test func batchNormalizationOfABatchAndAfterwards() throws {
        let golden = try golden("batchNorm")
        let x = try golden.input("x", on: tape)
        let norm = try BatchNorm("norm", width: 5, in: parameters)
        norm.scale.assign(try golden.floats("norm.scale"))
        norm.shift.assign(try golden.floats("norm.shift"))
        try golden.check(norm(x, in: tape), on: tape, inputs: ["x": x], matrices: [norm.scale, norm.shift])
        #expect(worstDifference(norm.mean.array, try golden.floats("mean")) < 1e-6)
        #expect(worstDifference(norm.variance.array, try golden.floats("variance")) < 1e-6)
        let workspace = Workspace()
        let served = norm(workspace.input(try golden.floats("x"), columns: 5), in: workspace)
        #expect(worstDifference(served.array, try golden.floats("served")) < 2e-6)
    }

    @Test func attentionOverKeysOfEachQuerysOwn() throws {
        var golden = try golden("pairDot")
        let pairs = AttentionPairs(offsets: try golden.integers("offsets"))
        let q = try golden.input("q", on: tape)
        var k = try golden.input("k", on: tape)
        try golden.check(tape.pairDot(q, k, pairs, scale: 0.5), on: tape, inputs: ["q": q, "k": k])
        tape.reset()
        golden = try self.golden("pairSoftmax")
        var w = try golden.input("w", on: tape)
        try golden.check(tape.pairSoftmax(w, pairs), on: tape, inputs: ["w": w])
        tape.reset()
        golden = try self.golden("pairSum")
        (w, k) = (try golden.input("w", on: tape), try golden.input("k", on: tape))
        try golden.check(tape.pairSum(w, k, pairs), on: tape, inputs: ["w": w, "k": k])
        tape.reset()
        golden = try self.golden("pairMean")
        k = try golden.input("k", on: tape)
        try golden.check(tape.pairSum(nil, k, pairs), on: tape, inputs: ["k": k])
    }

    @Test func attentionOverSharedKeys() throws {
        var golden = try golden("pairDot-shared")
        let pairs = AttentionPairs(queries: 4, sharedKeys: 3)
        let q = try golden.input("q", on: tape)
        var k = try golden.input("k", on: tape)
        try golden.check(tape.pairDot(q, k, pairs), on: tape, inputs: ["q": q, "k": k])
        tape.reset()
        golden = try self.golden("pairSum-shared")
        let w = try golden.input("w", on: tape)
        k = try golden.input("k", on: tape)
        try golden.check(tape.pairSum(w, k, pairs), on: tape, inputs: ["w": w, "k": k])
    }

    @Test(arguments: ["pairLinear", "pairLinear-extra"])
    func factorisedLayerOverPairs(_ name: String) throws {
        let golden = try golden(name)
        let pairs = AttentionPairs(offsets: try golden.integers("offsets"))
        let (q, k) = (try golden.input("q", on: tape), try golden.input("k", on: tape))
        let weight = try golden.matrix("layer.weight", in: parameters)
        let bias = try golden.matrix("layer.bias", in: parameters)
        let y = tape.pairLinear(q, k, pairs, weight: weight, bias: bias, activation: .relu)
        try golden.check(y, on: tape, inputs: ["q": q, "k": k], matrices: [weight, bias], tolerance: 5e-6)
    }

    @Test func factorisedLayerOverSharedKeys() throws {
        let golden = try golden("pairLinear-shared")
        let pairs = AttentionPairs(queries: 70, sharedKeys: 3)
        let (q, k) = (try golden.input("q", on: tape), try golden.input("k", on: tape))
        let weight = try golden.matrix("layer.weight", in: parameters)
        let bias = try golden.matrix("layer.bias", in: parameters)
        let y = tape.pairLinear(q, k, pairs, weight: weight, bias: bias, activation: .sigmoid)
        try golden.check(y, on: tape, inputs: ["q": q, "k": k], matrices: [weight, bias], tolerance: 1e-5)
    }

    @Test func droppedGatesAreTenPercentAndTheRestSumsToOne() {
        let gates = tape.input([Float](repeating: 0.25, count: 40_000), columns: 4)
        let dropped = tape.gateDropout(gates, probability: 0.1).array
        let zeros = Double(dropped.count { $0 == 0 }) / 40_000
        // Five standard errors of a share of 40,000: 5 * sqrt(0.1 * 0.9 / 40,000) = 0.0075; rows that lose all (1e-4) keep all.
        #expect(abs(zeros - 0.1) < 0.0075)
        for row in stride(from: 0, to: dropped.count, by: 4) {
            #expect(abs(dropped[row..<row + 4].reduce(0, +) - 1) < 1e-6)
        }
        let workspace = Workspace()
        let plain = workspace.input([0.5, 0.5], columns: 2)
        #expect(workspace.gateDropout(plain, probability: 0.9).array == [0.5, 0.5])
    }
}
