import Blobs
import Features
import Kernels
import Models
import Networks
import Testing

/// A ranker refuses a snapshot whose scores are not those of the trainer.
@Suite struct RankerGoldenTests {
    typealias World = RankerNetWorld

    static let specification = RankerNetTests.specification(
        [.linear(), .dcn(layers: 2)], .init(widths: [32, 16]), .mmoe(experts: 2, widths: [16]),
        .init(fields: ["user"], towers: true))

    /// Golden rows, written and read.
    private func golden(_ parameters: ParameterSet, precisions: [String: Precision]? = nil) throws -> RankerGolden {
        let inputs = World.inputs(Self.specification, count: 64, user: false)
        let writer = try World.withFile(Self.specification, parameters, precisions: precisions) { file in
            try RankerGolden(inputs, of: file).writer()
        }
        return try World.withFile(writer) { try RankerGolden($0) }
    }

    /// What `check` says of a net of these parameters; nil when it passes.
    private func refusal(
        _ golden: RankerGolden, _ parameters: ParameterSet, precisions: [String: Precision]? = nil
    ) throws -> String? {
        try World.withFile(Self.specification, parameters, precisions: precisions) { file in
            let net = try RankerNet(file)
            do throws(ModelError) {
                try golden.check(net)
                return nil
            } catch {
                #expect(error.code == .mismatch)
                return error.message
            }
        }
    }

    private func change(_ name: String, at place: Int, by difference: Float) throws -> ParameterSet {
        let parameters = try World.parameters(Self.specification)
        for parameter in parameters.all where parameter.name == name {
            var values = parameter.array
            values[place] += difference
            parameter.assign(values)
        }
        return parameters
    }

    @Test func theTrainersScoresAreFoundAgain() throws {
        let parameters = try World.parameters(Self.specification)
        let golden = try golden(parameters)
        #expect(golden.inputs.count == 64 && golden.heads == ["click", "watch", "finish"])
        #expect(golden.predictions.count == 64 * 3)
        #expect(try refusal(golden, parameters) == nil)
    }

    @Test(arguments: [("deep.0.weight", 5), ("head.watch.0.weight", 3), ("shared.gate.1.bias", 0)])
    func aChangedWeightIsRefused(_ name: String, _ place: Int) throws {
        let golden = try golden(World.parameters(Self.specification))
        let message = try #require(try refusal(golden, change(name, at: place, by: 0.3)))
        #expect(message.contains("golden row") && message.contains("head '") && message.contains("expected"))
        if name.hasPrefix("head.watch") { #expect(message.contains("'watch'")) }
    }

    @Test func aChangedRowOfATableIsRefused() throws {
        let golden = try golden(World.parameters(Self.specification))
        guard case .categorical(let items) = golden.inputs.fields[3] else { return }
        let message = try #require(
            try refusal(golden, change("table.item", at: Int(items[7]) * 8 + 2, by: 0.5)))
        #expect(message.contains("golden row"))
        #expect(try refusal(golden, change("table.item", at: Int(items[7]) * 8, by: 1e30)) != nil)
    }

    @Test func anotherPrecisionIsRefused() throws {
        let parameters = try World.parameters(Self.specification)
        let bytes = ["deep.0.weight": Precision.int8, "crossing.1.0.weight": .int8]
        let (plain, quantized) = (try golden(parameters), try golden(parameters, precisions: bytes))
        #expect(quantized.hasBytes && !plain.hasBytes)
        #expect(try refusal(quantized, parameters, precisions: bytes) == nil)
        let message = try #require(try refusal(plain, parameters, precisions: bytes))
        #expect(message.contains("expected layers in float32, found bytes"))
        #expect(try refusal(quantized, parameters)?.contains("expected layers in bytes") == true)
        // More error than bytes may have.
        let changed = try change("head.finish.0.weight", at: 0, by: 1)
        #expect(try refusal(quantized, changed, precisions: bytes)?.contains("'finish'") == true)
    }

    @Test func rowsThatDoNotFitAreRefused() throws {
        let parameters = try World.parameters(Self.specification)
        let inputs = World.inputs(Self.specification, count: 8, user: true)
        try World.withFile(Self.specification, parameters) { file in
            func message(_ change: (inout RankerInputs) -> Void) -> String {
                var inputs = inputs
                change(&inputs)
                do {
                    _ = try RankerGolden(inputs, of: file)
                    return "none"
                } catch {
                    return "\(error)"
                }
            }
            #expect(message { _ in } == "none")
            #expect(
                message { $0.fields[3] = .categorical(.init(repeating: 23, count: 8)) }
                    .contains("field 'item': expected rows of a table of 23, found 23"))
            #expect(message { $0.fields[0] = .numbers([1]) }.contains("field 'user': expected categorical"))
            #expect(message { $0.fields[3] = .categorical([1, 2]) }.contains("expected 8 rows or one, found 2"))
            #expect(message { $0.fields[8] = .numbers([1, 2]) }.contains("expected 6 numbers"))
            #expect(message { $0.histories[1].ages = [] }.contains("sequence 'recent': ages"))
            #expect(message { $0.histories[2].columns[0][0] = 99 }.contains("found 99"))
            #expect(message { $0.histories.removeLast() }.contains("sequences: expected 5, found 4"))
        }
    }

    @Test func damagedComponentsAreRefused() throws {
        #expect(throws: ModelError.self) { try World.withFile(SafetensorsWriter()) { try RankerGolden($0) } }
        let writer = try World.withFile(Self.specification, World.parameters(Self.specification)) { file in
            try RankerGolden(World.inputs(Self.specification, count: 4, user: true), of: file).writer()
        }
        var other = writer
        other.metadata["ranker-golden"] = other.metadata["ranker-golden"]?.replacing("\"count\":4", with: "\"count\":5")
        #expect(throws: ModelError.self) { try World.withFile(other) { try RankerGolden($0) } }
        other.metadata["ranker-golden"] = writer.metadata["ranker-golden"]?
            .replacing("\"version\":1", with: "\"version\":2")
        #expect(throws: ModelError.self) { try World.withFile(other) { try RankerGolden($0) } }
    }
}
