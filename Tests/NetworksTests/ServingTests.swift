import Blobs
import Foundation
import Kernels
import Networks
import Testing

@Suite struct ServingTests {
    /// Writes the parameters, and reads them back for one purpose.
    static func reload(
        _ parameters: ParameterSet, prefix: String = "", for purpose: ParameterSet.Purpose,
        precisions: [String: Precision] = [:]
    ) throws -> ParameterSet {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appendingPathComponent("model.safetensors").path
        var writer = SafetensorsWriter()
        try parameters.write(to: &writer, prefix: prefix)
        try writer.write(to: path)
        return ParameterSet(
            file: try SafetensorsFile(path: path), prefix: prefix, purpose: purpose, precisions: precisions)
    }

    @Test func theServedModelComputesWhatTheTrainedOneDoes() throws {
        let trained = ParameterSet(seed: 1)
        let model = try TrainingTests.train(trained, threads: .one).model
        let served = try TwoTowers(in: try ServingTests.reload(trained, prefix: "two.", for: .serving))
        let users: [UInt32] = [3, 19, 0]
        let lists = RaggedRows(rows: [4, 5, 29, 7], offsets: [0, 2, 2, 4])
        let (tape, workspace) = (Tape(seed: 1), Workspace())
        let a = model.userVectors(users, lists, in: tape)
        let b = served.userVectors(users, lists, in: workspace)
        #expect(worstDifference(b.array, a.array) < 1e-5)
        let items = (0..<30).map { UInt32($0) }
        let c = model.itemVectors(items, in: tape)
        let d = served.itemVectors(items, in: workspace)
        #expect(worstDifference(d.array, c.array) < 1e-5)
        #expect(a.array.contains { $0 != 0 } && c.array.contains { $0 != 0 })
    }

    @Test(arguments: [0, 1, 2, 5, 6, 7, 33, 100])
    func partsSharedByAllRowsEqualTheirRepetition(_ rows: Int) throws {
        let parameters = ParameterSet(seed: 4)
        let mlp = try MLP("head", inputs: 24, widths: [17, 1], last: .sigmoid, in: parameters)
        let served = try MLP(
            "head", inputs: 24, widths: [17, 1], last: .sigmoid,
            in: try ServingTests.reload(parameters, for: .serving))
        var generator = SeededGenerator(seed: 5)
        let user = (0..<9).map { _ in Float(generator.normal()) }
        let item = (0..<rows * 15).map { _ in Float(generator.normal()) }
        for (model, workspace) in [(mlp, Tape(seed: 1)), (served, Workspace())] {
            let one = workspace.input(user, columns: 9)
            let many = workspace.input((0..<rows).flatMap { _ in user }, columns: 9)
            let other = workspace.input(item, columns: 15)
            let whole = model(workspace.concatenate([many, other]), in: workspace)
            #expect(worstDifference(model([one, other], in: workspace).array, whole.array) < 1e-5)
            #expect(worstDifference(model([many, other], in: workspace).array, whole.array) < 1e-5)
        }
    }

    /// Two layers of seven bits: within four parts in a hundred of the outputs' spread, whether the user's part is repeated
    /// or stands for all rows, which keeps it in float32.
    @Test func wideLayersMayBeServedInBytes() throws {
        let parameters = ParameterSet(seed: 4)
        let mlp = try MLP("head", inputs: 64, widths: [48, 32, 1], in: parameters)
        #expect(parameters.byteCandidates == ["head.0.weight", "head.1.weight"])
        let precisions = Dictionary(uniqueKeysWithValues: parameters.byteCandidates.map { ($0, Precision.int8) })
        let served = try MLP(
            "head", inputs: 64, widths: [48, 32, 1],
            in: try ServingTests.reload(parameters, for: .serving, precisions: precisions))
        var generator = SeededGenerator(seed: 6)
        let user = (0..<24).map { _ in Float(generator.normal()) }
        let items = (0..<200 * 40).map { _ in Float(generator.normal()) }
        let workspace = Workspace()
        let many = workspace.input((0..<200).flatMap { _ in user }, columns: 24)
        let (one, other) = (workspace.input(user, columns: 24), workspace.input(items, columns: 40))
        let expected = mlp([one, other], in: workspace).array
        let mean = expected.reduce(0, +) / 200
        let spread = expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        for user in [one, many] {
            let found = served([user, other], in: workspace).array
            let lost = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            #expect((lost / spread).squareRoot() < 0.04 && lost > 0)
        }
    }

    @Test func aUsedWorkspaceTakesNoMoreMemory() throws {
        let parameters = ParameterSet(seed: 4)
        let mlp = try MLP("m", inputs: 64, widths: [128, 64, 1], in: parameters)
        let workspace = Workspace()
        var sizes: [Int] = []
        for _ in 0..<4 {
            workspace.reset()
            _ = mlp(workspace.input([Float](repeating: 1, count: 64 * 700), columns: 64), in: workspace)
            workspace.reset()
            sizes.append(workspace.byteCount)
        }
        #expect(sizes[0] >= 700 * (64 + 128 + 64 + 1) * 4)
        #expect(Set(sizes.dropFirst()).count == 1)
    }

    @Test func aTensorOutlivesItsWorkspace() {
        let values = (0..<5000).map(Float.init)
        let tensors = (0..<3).map { _ in Workspace().input(values, columns: 5) }
        // Memory of the same size would take the place of what had been freed.
        let others = (0..<3).map { _ in Workspace().input(values.map { -1 - $0 }, columns: 5) }
        for tensor in tensors {
            #expect(tensor.array == values)
            #expect(tensor[999, 4] == 4999)
        }
        #expect(others.allSatisfy { $0[0, 0] == -1 })
    }

    @Test func aTensorIsNotUsedAfterTheReset() async {
        await #expect(processExitsWith: .failure) {
            let workspace = Workspace()
            let tensor = workspace.input([1, 2], columns: 2)
            workspace.reset()
            _ = tensor.array
        }
    }

    @Test func aTensorOfAnotherWorkspaceIsAConstant() throws {
        let (tape, other) = (Tape(seed: 1), Workspace())
        let constant = other.input([2, 3], columns: 2)
        // Of the same number in its own workspace.
        let tracked = tape.input([5, 7], columns: 2)
        tape.track(tracked)
        tape.backward(from: tape.sum(tape.multiply(tracked, constant)))
        #expect(tape.gradientArray(of: tracked) == [2, 3])
    }

    @Test func poolsHandOutEachWorkspaceOnce() {
        let pool = WorkspacePool(idleMax: 1)
        pool.withWorkspace { outer in
            pool.withWorkspace { inner in #expect(inner !== outer) }
        }
        let first = pool.withWorkspace { ObjectIdentifier($0) }
        #expect(pool.withWorkspace { ObjectIdentifier($0) } == first)
    }
}
