import Inference
import Kernels
import Testing

@Suite struct PrecisionTests {
    /// A measure in which each layer in bytes costs its own amount.
    private func measure(_ costs: [String: Double]) -> ([String: Precision]) -> Double {
        { precisions in
            0.75 - precisions.reduce(0) { $0 + ($1.value == .int8 ? costs[$1.key] ?? 0 : 0) }
        }
    }

    @Test func allLayersAreBytesWhenThatCostsLittle() {
        var measures = 0
        let quality = measure(["a": 0.0004, "b": 0.0005])
        let choice = PrecisionChoice.choose(layers: ["a", "b"]) { precisions in
            measures += 1
            return quality(precisions)
        }
        #expect(choice.precisions == ["a": .int8, "b": .int8])
        #expect(abs(choice.loss - 0.0009) < 1e-12 && choice.lossAlone.isEmpty && measures == 2)
    }

    @Test func layersThatLoseLeastGoFirst() {
        let costs = ["a": 0.0006, "b": 0.02, "c": 0.0001, "d": 0.0005, "e": -0.0001]
        let choice = PrecisionChoice.choose(layers: ["a", "b", "c", "d", "e"], measure: measure(costs))
        // e, c and d lose 0.0005 together; a would make it 0.0011.
        #expect(choice.precisions == ["a": .float32, "b": .float32, "c": .int8, "d": .int8, "e": .int8])
        #expect(abs(choice.loss - 0.0005) < 1e-12)
        #expect(abs((choice.lossAlone["b"] ?? 0) - 0.02) < 1e-12)
    }

    /// Two layers that are harmless alone and not together.
    @Test func whatLayersLoseTogetherCounts() {
        let choice = PrecisionChoice.choose(layers: ["a", "b"]) { precisions in
            precisions.values.allSatisfy { $0 == .int8 } ? 0.6 : 0.75
        }
        #expect(choice.precisions == ["a": .int8, "b": .float32])
        #expect(choice.loss == 0)
    }

    @Test func aMeasureThatIsNoNumberAllowsNothing() {
        let choice = PrecisionChoice.choose(layers: ["a", "b"]) { precisions in
            precisions.values.contains(.int8) ? .nan : 0.75
        }
        #expect(choice.precisions == ["a": .float32, "b": .float32] && choice.loss == 0)
    }

    @Test func aModelOfNoLayersLosesNothing() {
        #expect(PrecisionChoice.choose(layers: []) { _ in 0.5 }.loss == 0)
    }
}
