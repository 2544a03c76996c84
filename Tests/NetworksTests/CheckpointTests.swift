import Blobs
import Foundation
import Kernels
import Networks
import Testing

/// A run that stops, is written, and goes on in another process makes the steps it would have made.
@Suite struct CheckpointTests {
    /// A small model with everything that has a state: both rules, dropped gates, dropout, running statistics.
    final class Run {
        let parameters = ParameterSet(seed: 1)
        let table: EmbeddingTable
        let experts: MixtureOfExperts
        let norm: BatchNorm
        let tower: MLP
        let optimizer: Optimizer
        let tape: Tape
        var order: SeededGenerator

        init(seed: UInt64 = 5, dense: UpdateRule = .adam(learningRate: 0.01)) throws {
            table = try parameters.table("items", rows: 50, width: 6)
            norm = try BatchNorm("norm", width: 6, in: parameters)
            experts = try MixtureOfExperts("moe", inputs: 6, experts: 3, widths: [8], tasks: 2, in: parameters)
            tower = try MLP("tower", inputs: 16, widths: [8, 1], dropout: 0.2, in: parameters)
            var configuration = Optimizer.Configuration()
            configuration.dense = dense
            configuration.clipNorm = 0.5
            optimizer = Optimizer(parameters, configuration, threads: Threads(2))
            tape = Tape(seed: seed, threads: Threads(2))
            order = SeededGenerator(seed: seed, stream: 1)
        }

        func step(_ count: Int) {
            for _ in 0..<count {
                tape.reset()
                let rows = (0..<32).map { _ in UInt32.random(in: 0..<50, using: &order) }
                let x = norm(tape.lookup(table, rows), in: tape)
                let logits = tower(experts([x], in: tape), in: tape)
                tape.backward(from: tape.sigmoidCrossEntropy(logits, labels: rows.map { $0 % 3 == 0 ? 1 : 0 }))
                optimizer.step()
            }
        }

        func write(to path: String) throws {
            try TrainingCheckpoint.write(
                to: path, parameters: parameters, optimizer: optimizer, tape: tape, generators: ["order": order],
                metadata: ["row": "320"])
        }
    }

    private func withPath(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test func aResumedRunEndsAtTheSameWeights() throws {
        try withPath { path in
            let run = try Run()
            run.step(10)
            try run.write(to: path)
            run.step(10)

            let resumed = try Run(seed: 99)
            let file = try SafetensorsFile(path: path)
            let generators = try TrainingCheckpoint.read(
                file, parameters: resumed.parameters, optimizer: resumed.optimizer, tape: resumed.tape)
            #expect(file.metadata["row"] == "320")
            resumed.order = try #require(generators["order"])
            #expect(generators.count == 1)
            resumed.step(10)
            #expect(resumed.optimizer.steps == 20)
            for (found, expected) in zip(resumed.parameters.all, run.parameters.all) {
                #expect(found.array == expected.array, "\(found.name)")
            }
            #expect(try Run().parameters.all[0].array != run.parameters.all[0].array)
        }
    }

    @Test func aRunOfAnotherRuleIsRefused() throws {
        try withPath { path in
            let run = try Run()
            try run.write(to: path)
            let other = try Run(dense: .adagrad())
            let error = #expect(throws: NetworkError.self) {
                try TrainingCheckpoint.read(
                    SafetensorsFile(path: path), parameters: other.parameters, optimizer: other.optimizer,
                    tape: other.tape)
            }
            #expect(error?.message.contains("norm.scale was trained by another update rule") == true)
        }
    }

    @Test func aModelOfShapesIsCountedWithoutMemory() throws {
        let shapes = ParameterSet.shapes()
        _ = try shapes.table("t", rows: 1_000_000_000, width: 64)
        _ = try MixtureOfExperts("moe", inputs: 6, experts: 3, widths: [8], tasks: 2, in: shapes)
        // Experts 3 (6 x 8 + 8), gates 2 (6 x 3 + 3).
        #expect(shapes.count == 64_000_000_000 + 168 + 42)
    }
}
