import Kernels
import Networks
import Testing

/// Ranking blocks against PyTorch's (make_blocks.py).
@Suite struct BlockTests {
    let tape = Tape(seed: 1, threads: Threads(2))
    let parameters = ParameterSet(seed: 1)

    private func golden(_ name: String) throws -> Golden { try Golden(name, file: "blocks") }

    /// Gives every parameter made so far its stored values.
    private func load(_ golden: Golden) throws -> [DenseParameter] {
        for parameter in parameters.all { parameter.assign(try golden.floats(parameter.name)) }
        return parameters.matrices
    }

    @Test func crossNetworkFull() throws {
        let golden = try golden("cross-full")
        let x = try golden.input("x", on: tape)
        let net = try CrossNet("cross", width: 7, layers: 3, in: parameters)
        let matrices = try load(golden)
        try golden.check(net(x, in: tape), on: tape, inputs: ["x": x], matrices: matrices, tolerance: 1e-5)
    }

    @Test func crossNetworkOfLowRank() throws {
        let golden = try golden("cross-low")
        let x = try golden.input("x", on: tape)
        let net = try CrossNet("cross", width: 7, layers: 2, rank: 3, in: parameters)
        let matrices = try load(golden)
        try golden.check(net(x, in: tape), on: tape, inputs: ["x": x], matrices: matrices, tolerance: 1e-5)
    }

    @Test func squeezeAndExcitation() throws {
        let golden = try golden("senet")
        let x = try golden.input("x", on: tape)
        let layout = FieldLayout(widths: [3, 5, 1, 4])
        let net = try SqueezeExcitation("senet", layout: layout, reduction: 2, in: parameters)
        let matrices = try load(golden)
        try golden.check(net(x, in: tape), on: tape, inputs: ["x": x], matrices: matrices)
    }

    @Test(arguments: Bilinear.Form.allCases)
    func bilinearOfEveryPair(_ form: Bilinear.Form) throws {
        let golden = try golden("bilinear-\(form)")
        let x = try golden.input("x", on: tape)
        let net = try Bilinear("bilinear", layout: FieldLayout(widths: [3, 5, 1, 4]), form: form, in: parameters)
        let matrices = try load(golden)
        try golden.check(net(x, in: tape), on: tape, inputs: ["x": x], matrices: matrices, tolerance: 5e-6)
    }

    static let chosen = [Bilinear.Pair(0, 1), .init(3, 1), .init(2, 0)]

    @Test func bilinearOfChosenPairs() throws {
        let golden = try golden("bilinear-chosen")
        let x = try golden.input("x", on: tape)
        let net = try Bilinear(
            "bilinear", layout: FieldLayout(widths: [3, 5, 1, 4]), form: .elementwise, pairs: BlockTests.chosen,
            in: parameters)
        let matrices = try load(golden)
        try golden.check(net(x, in: tape), on: tape, inputs: ["x": x], matrices: matrices, tolerance: 5e-6)
    }

    @Test func fibinet() throws {
        let golden = try golden("fibinet")
        let x = try golden.input("x", on: tape)
        let net = try FiBiNet(
            "fibinet", layout: FieldLayout(widths: [3, 5, 1, 4]), form: .elementwise, pairs: BlockTests.chosen,
            reduction: 2, in: parameters)
        let matrices = try load(golden)
        let y = tape.concatenate(net(x, in: tape))
        #expect(y.columns == net.outputs)
        try golden.check(y, on: tape, inputs: ["x": x], matrices: matrices, tolerance: 5e-6)
    }

    @Test func factorizationMachine() throws {
        let golden = try golden("fm")
        let inputs = try ["w1", "w2", "v1", "v2", "x"].map { ($0, try golden.input($0, on: tape)) }
        let named = Dictionary(uniqueKeysWithValues: inputs)
        let net = try FactorizationMachine("fm", width: 4, numbers: 3, in: parameters)
        let matrices = try load(golden)
        let y = net(
            linear: [inputs[0].1, inputs[1].1], fields: [inputs[2].1, inputs[3].1], numbers: inputs[4].1, in: tape)
        try golden.check(y, on: tape, inputs: named, matrices: matrices, tolerance: 5e-6)
    }

    @Test func personalGates() throws {
        let golden = try golden("personal")
        let (x, user) = (try golden.input("x", on: tape), try golden.input("user", on: tape))
        let net = try MLP("mlp", inputs: 7, widths: [8, 5, 3], in: parameters)
        let gates = try PersonalGates("gates", inputs: 4, hidden: 6, widths: [8, 5], in: parameters)
        let matrices = try load(golden)
        let y = net([x], gates: gates([user], in: tape), in: tape)
        try golden.check(y, on: tape, inputs: ["x": x, "user": user], matrices: matrices, tolerance: 5e-6)
    }

    @Test func mixtureOfExpertsAndItsGates() throws {
        let golden = try golden("mmoe")
        let x = try golden.input("x", on: tape)
        let net = try MixtureOfExperts(
            "moe", inputs: 7, experts: 4, widths: [8, 5], tasks: 2, gateDropout: 0, in: parameters)
        let matrices = try load(golden)
        let statistics = net.makeStatistics()
        let y = tape.concatenate(net([x], in: tape, statistics: statistics))
        try golden.check(y, on: tape, inputs: ["x": x], matrices: matrices, tolerance: 5e-6)
        let report = statistics.report
        #expect(worstDifference(report.entropies.map { Float($0) }, try golden.floats("entropy")) < 1e-6)
        #expect(worstDifference(report.meanWeights.flatMap { $0.map { Float($0) } }, try golden.floats("means")) < 1e-6)
        #expect(report.deadExperts() == [])
    }

    @Test func progressiveExtraction() throws {
        let golden = try golden("ple")
        let x = try golden.input("x", on: tape)
        let net = try ProgressiveExtraction(
            "ple", inputs: 7, own: 2, shared: 1, levels: [[6], [6]], tasks: 2, gateDropout: 0, in: parameters)
        let matrices = try load(golden)
        try golden.check(
            tape.concatenate(net([x], in: tape)), on: tape, inputs: ["x": x], matrices: matrices, tolerance: 5e-6)
    }

    @Test func targetAttentionByLayers() throws {
        let golden = try golden("din")
        let pairs = AttentionPairs(offsets: try golden.integers("offsets"))
        let (q, k) = (try golden.input("q", on: tape), try golden.input("k", on: tape))
        let net = try TargetAttention("din", form: .layers, width: 6, extra: 2, hidden: [5, 4], in: parameters)
        let matrices = try load(golden)
        try golden.check(
            net(q, k, pairs, in: tape), on: tape, inputs: ["q": q, "k": k], matrices: matrices, tolerance: 1e-5)
    }

    @Test func targetAttentionByScaledDotProducts() throws {
        let golden = try golden("attention")
        let pairs = AttentionPairs(offsets: try golden.integers("offsets"))
        let (q, k) = (try golden.input("q", on: tape), try golden.input("k", on: tape))
        let net = try TargetAttention("attention", form: .dot, width: 6, extra: 2, hidden: [5], in: parameters)
        let matrices = try load(golden)
        try golden.check(
            net(q, k, pairs, in: tape), on: tape, inputs: ["q": q, "k": k], matrices: matrices, tolerance: 5e-6)
    }

    @Test func expertsThatNoGateUsesAreReported() {
        let workspace = Workspace()
        let statistics = GateStatistics(gates: 2, experts: 3)
        statistics.add(workspace.input([0.9, 0.1, 0, 0.5, 0.5, 0], columns: 3), gate: 0)
        statistics.add(workspace.input([0, 1, 0], columns: 3), gate: 1)
        let report = statistics.report
        #expect(report.deadExperts() == [2])
        #expect(report.entropies[1] == 0 && report.evenness[1] == 0)
        // By hand: (-0.9 ln 0.9 - 0.1 ln 0.1 + ln 2) / 2.
        #expect(abs(report.entropies[0] - 0.509115) < 1e-5)
        #expect(abs(report.meanWeights[0][0] - 0.7) < 1e-6)
    }

    @Test func hardSearchFindsTheNewestOfTheCategory() {
        var found: [Int] = []
        let history: [UInt32] = [3, 1, 3, 0, 3, 3]
        HistorySearch.hard(category: 3, in: history[...], limit: 3, appendingTo: &found)
        #expect(found == [0, 2, 4])
        found.removeAll()
        HistorySearch.hard(category: 0, in: history[...], limit: 3, appendingTo: &found)
        HistorySearch.hard(category: 7, in: history[...], limit: 3, appendingTo: &found)
        #expect(found == [])
    }

    /// Against sorting, with many ties.
    @Test func softSearchKeepsTheNewestOfEqualBehaviours() throws {
        let table = try parameters.table("ties", rows: 9, width: 1, initial: .zeros)
        table.assign([1, 3, 2, 2, 0, -1, 3, 5, 1])
        var generator = SeededGenerator(seed: 4)
        var scores: [Float] = []
        for count in [1, 2, 5, 30, 77] {
            let history = (0..<count).map { _ in UInt32(generator.next() % 9) }
            for limit in [1, 2, 7, 29] {
                let order = history.indices.sorted {
                    (-table.row(Int(history[$0]))[0], $0) < (-table.row(Int(history[$1]))[0], $1)
                }
                var found: [Int] = []
                HistorySearch.soft(
                    candidate: 0, in: history[...], of: table, limit: limit, scores: &scores, appendingTo: &found)
                #expect(found == order.prefix(limit).sorted())
            }
        }
    }

    @Test func softSearchFindsTheNearestByInnerProduct() throws {
        let table = try parameters.table("items", rows: 5, width: 2, initial: .zeros)
        // Inner products with row 1: row 0: 0, row 1: 5, row 2: 3, row 3: -1, row 4: 3.
        table.assign([0, 0, 1, 2, 1, 1, 1, -1, 3, 0])
        var (found, scores): ([Int], [Float]) = ([], [])
        HistorySearch.soft(
            candidate: 1, in: [3, 4, 0, 2, 1], of: table, limit: 2, scores: &scores, appendingTo: &found)
        #expect(found == [1, 4])
        found.removeAll()
        HistorySearch.soft(
            candidate: 1, in: [3, 4], of: table, limit: 2, scores: &scores, appendingTo: &found)
        #expect(found == [0, 1])
    }

    @Test(arguments: [
        (-5.0, UInt32(0)), (59, 0), (60, 1), (119, 1), (120, 2), (3600, 6), (86_400, 11), (1e9, 21), (1e300, 21),
    ])
    func ageBucketsDouble(_ seconds: Double, _ bucket: UInt32) {
        #expect(AgeBuckets.bucket(seconds: seconds) == bucket)
    }
}
