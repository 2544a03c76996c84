import Blobs
import Features
import Foundation
import Inference
import Kernels
import Models
import Networks
import Testing

/// The nets that serve read what was trained by its names, and compute the same.
@Suite struct InferenceParityTests {
    /// Numbers alone, so that the input of the nets is the rows as they are.
    static let specification = RankerSpecification(
        tables: [:], fields: [.init("numbers", .numeric, count: 20)],
        crossings: [.dcn(layers: 2, rank: 5)], deep: .init(widths: [24, 16]),
        shared: .mmoe(experts: 3, widths: [16, 12]),
        heads: [.init("click", .binary, tower: [8]), .init("watch", .watchTime, tower: [8])])

    private func withFile(_ writer: SafetensorsWriter, _ body: (SafetensorsFile) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try writer.write(to: path)
        try body(SafetensorsFile(path: path))
    }

    private func values(_ count: Int, _ seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float(generator.normal()) }
    }

    private func difference(_ found: [Float], _ expected: [Float]) -> Float {
        guard found.count == expected.count else { return .infinity }
        var worst: Float = 0
        for (x, y) in zip(found, expected) { worst = max(worst, abs(x - y) / (1 + abs(y))) }
        return worst
    }

    @Test func theBodyAndTheHeads() throws {
        let parameters = ParameterSet(seed: 5)
        let model = try RankerModel(Self.specification, rows: [:], in: parameters)
        let rows = 53
        let x = values(rows * 20, 1)
        let logits = model(RankerInputs(count: rows, fields: [.numbers(x)]), in: Workspace())
        try withFile(RankerDescription(specification: Self.specification, rows: [:]).writer(parameters)) { file in
            var reader = NetReader(file)
            let deep = try reader.dense("deep", last: .relu).run(x, rows: rows)
            let crossed = try reader.cross("crossing.0").run(x, rows: rows)
            var body: [Float] = []
            for row in 0..<rows {
                body += deep[row * 16..<(row + 1) * 16]
                body += crossed[row * 20..<(row + 1) * 20]
            }
            let found = try reader.mixture("shared", towers: ["head.click", "head.watch"]).run(body, rows: rows)
            for (head, expected) in logits.enumerated() {
                let own: [Float] = (0..<rows).map { row in found[row * 2 + head] }
                #expect(difference(own, expected.array) < 1e-5)
            }
        }
    }

    @Test(arguments: [TargetAttention.Form.layers, .dot])
    func attentionBeforeASharedHistory(_ form: TargetAttention.Form) throws {
        let parameters = ParameterSet(seed: 5)
        let attention = try TargetAttention(
            "attention", form: form, width: 12, extra: 3, hidden: [18], in: parameters)
        let (queries, keys) = (values(30 * 12, 2), values(7 * 15, 3))
        let workspace = Workspace()
        let expected = attention(
            workspace.input(queries, columns: 12), workspace.input(keys, columns: 15),
            AttentionPairs(queries: 30, sharedKeys: 7), in: workspace
        ).array
        var writer = SafetensorsWriter()
        try parameters.write(to: &writer)
        try withFile(writer) { file in
            let request = AttentionRequest(try NetReader(file).attention("attention", width: 12), keysMax: 7)
            keys.withUnsafeBufferPointer { request.begin($0, count: 7) }
            var found = [Float](repeating: 0, count: 30 * 15)
            queries.withUnsafeBufferPointer { queries in
                found.withUnsafeMutableBufferPointer { request.run(queries, rows: 30, into: $0) }
            }
            #expect(difference(found, expected) < 1e-5)
        }
    }
}
