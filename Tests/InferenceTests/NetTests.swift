import Blobs
import Inference
import Kernels
import Testing

/// Every net against PyTorch in float64.
@Suite struct NetTests {
    let golden: Golden

    init() throws {
        golden = try Golden()
    }

    func denseLayers() throws -> [LayerWeights] {
        [try golden.layer("dense.0", .relu), try golden.layer("dense.1", .sigmoid), try golden.layer("dense.2", .tanh)]
    }

    /// Cross layers, then experts, as a ranker has them.
    private func ranker(_ precisions: [String: Precision] = [:]) throws -> (net: SequenceNet, names: [String]) {
        var reader = NetReader(golden.file, precisions: precisions)
        let cross = try reader.cross("ranker.cross")
        let mixture = try reader.mixture("ranker", towers: (0..<3).map { "ranker.tower.\($0)" })
        return (SequenceNet([cross, mixture]), reader.names)
    }

    @Test func denseLayersFollowEachOther() throws {
        let net = DenseNet(try denseLayers())
        #expect((net.inputs, net.outputs, net.operations) == (37, 1, 2 * (37 * 33 + 33 * 20 + 20)))
        try golden.check(net, x: "dense.x", y: "dense.y")
    }

    @Test func aRequestsOwnInputsAreMultipliedOnce() throws {
        let net = DenseNet(try denseLayers(), sharedInputs: 9)
        #expect((net.inputs, net.sharedInputs, net.sharedOutputs) == (28, 9, 33))
        let rows = try golden.rows("dense.x")
        let x = try golden.floats("dense.x")
        let own = (0..<rows).flatMap { x[$0 * 37 + 9..<($0 + 1) * 37] }
        let arena = InferenceArena(for: net.need)
        var sum = [Float](repeating: .nan, count: net.sharedOutputs)
        try golden.floats("dense.shared").withUnsafeBufferPointer { shared in
            sum.withUnsafeMutableBufferPointer { net.share(shared, into: $0, in: arena) }
        }
        var y = [Float](repeating: .nan, count: rows)
        for start in stride(from: 0, to: rows, by: Tile.rows) {
            let count = min(Tile.rows, rows - start)
            own.withUnsafeBufferPointer { own in
                guard let base = own.baseAddress else { return }
                y.withUnsafeMutableBufferPointer { y in
                    guard let target = y.baseAddress else { return }
                    net.runTile(
                        base + start * 28, stride: 28, rows: count, sharing: sum, into: target + start, outputStride: 1,
                        in: arena)
                }
            }
        }
        try expectClose(y, try golden.floats("dense.shared.y"))
    }

    @Test func crossNetworksFullAndLowRank() throws {
        var reader = NetReader(golden.file)
        try golden.check(try reader.cross("cross"), x: "cross.x", y: "cross.y")
        try golden.check(try reader.cross("low"), x: "low.x", y: "low.y")
        #expect(reader.names == ["cross.0", "cross.1", "cross.2", "low.0", "low.1", "low.2"])
    }

    @Test func mixturesOfDeepAndFlatExperts() throws {
        var reader = NetReader(golden.file)
        let deep = try reader.mixture("mmoe", towers: (0..<3).map { "mmoe.tower.\($0)" })
        try golden.check(deep, x: "mmoe.x", y: "mmoe.y")
        let flat = try reader.mixture("flat", towers: (0..<2).map { "flat.tower.\($0)" })
        try golden.check(flat, x: "flat.x", y: "flat.y")
    }

    @Test func netsRunOneAfterTheOtherWithinATile() throws {
        let (net, names) = try ranker()
        #expect((net.inputs, net.outputs) == (64, 3))
        try golden.check(net, x: "ranker.cross.x", y: "ranker.y")
        // What may be bytes: not the towers' single outputs.
        #expect(
            names == [
                "ranker.cross.0", "ranker.cross.1", "ranker.cross.2", "ranker.experts.0", "ranker.experts.1",
                "ranker.gates", "ranker.tower.0.0", "ranker.tower.1.0", "ranker.tower.2.0",
            ])
    }

    private func rankerInBytes() throws -> SequenceNet {
        try ranker(Dictionary(uniqueKeysWithValues: try ranker().names.map { ($0, Precision.int8) })).net
    }

    /// Root mean square of the difference, in standard deviations of what is expected.
    private func error(_ found: [Float], _ expected: [Float]) -> Float {
        let mean = expected.reduce(0, +) / Float(expected.count)
        let spread = expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / spread).squareRoot()
    }

    /// The same rounding in float64: what differs is a value here and there that float32 rounds to the next step.
    @Test func bytesAreWhatTheirDefinitionGives() throws {
        let found = try rankerInBytes().run(try golden.floats("ranker.cross.x"), rows: 55)
        #expect(error(found, try golden.floats("ranker.y.int8")) < 0.01)
        let dense = DenseNet(try denseLayers(), precisions: [.int8, .int8, .int8])
        let scores = dense.run(try golden.floats("dense.x"), rows: 101)
        #expect(error(scores, try golden.floats("dense.y.int8")) < 0.01)
    }

    /// Seven layers of seven bits, one after the other: six parts in a hundred of the spread of the logits.
    @Test func bytesStayNearTheFloats() throws {
        let found = try rankerInBytes().run(try golden.floats("ranker.cross.x"), rows: 55)
        let difference = error(found, try golden.floats("ranker.y"))
        #expect(difference < 0.06 && difference > 0.01)
    }

    @Test func precisionsAreThoseAskedForSaveForASingleOutput() throws {
        let net = DenseNet(try denseLayers(), precisions: [.int8, .float32, .int8])
        #expect(net.precisions == [.int8, .float32, .float32])
        try golden.check(net, x: "dense.x", y: "dense.y", within: 2e-2)
    }

    @Test func layersThatDoNotFitAreNamed() throws {
        var reader = NetReader(golden.file)
        let failures: [(String, (inout NetReader) throws -> Void)] = [
            (
                "layer \"dense.0\": expected at least 38 inputs, found [37, 33]",
                { _ = try $0.dense("dense", sharedInputs: 38) }
            ),
            ("layer \"dense.0\": expected [33, 33]", { _ = try $0.cross("dense") }),
            ("no tensor \"nothing.0.weight\"", { _ = try $0.dense("nothing") }),
            (
                "layer \"dense.0\": expected 17 inputs, found [37, 33]",
                { _ = try $0.mixture("mmoe", towers: ["dense"]) }
            ),
            ("mixture \"mmoe\" for no tasks", { _ = try $0.mixture("mmoe", towers: []) }),
            ("layer \"din.0\": expected 48 inputs or more", { _ = try $0.attention("din", width: 12) }),
            (
                "layer \"dot.key\": expected [12 or more, 18], found [14, 18]",
                { _ = try $0.attention("dot", width: 12) }
            ),
        ]
        for (message, read) in failures {
            let error = #expect(throws: BlobError.self) { try read(&reader) }
            #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        }
    }
}
