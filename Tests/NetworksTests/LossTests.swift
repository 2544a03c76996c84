import Kernels
import Networks
import Testing

/// Every loss and its gradient against PyTorch's (make_golden.py).
@Suite struct LossTests {
    let tape = Tape(seed: 1, threads: Threads(2))

    @Test func softmaxCrossEntropy() throws {
        let golden = try Golden("softmax-plain")
        let logits = try golden.input("logits", on: tape)
        let loss = tape.softmaxCrossEntropy(logits, targets: try golden.integers("targets"))
        try golden.check(loss, on: tape, inputs: ["logits": logits])
    }

    @Test func softmaxWithWeightsCorrectionAndAccidentalHits() throws {
        let golden = try Golden("softmax-corrected")
        let logits = try golden.input("logits", on: tape)
        let correction = SoftmaxCorrection(
            logProbabilities: try golden.floats("logProbabilities"),
            identities: try golden.integers("identities").map { UInt64($0) })
        let loss = tape.softmaxCrossEntropy(
            logits, targets: try golden.integers("targets"), correction: correction,
            weights: try golden.floats("weights"))
        try golden.check(loss, on: tape, inputs: ["logits": logits])
    }

    @Test func sigmoidCrossEntropy() throws {
        var golden = try Golden("sigmoid-plain")
        var z = try golden.input("z", on: tape)
        try golden.check(
            tape.sigmoidCrossEntropy(z, labels: try golden.floats("labels")), on: tape, inputs: ["z": z])
        tape.reset()
        golden = try Golden("sigmoid-weighted")
        z = try golden.input("z", on: tape)
        let loss = tape.sigmoidCrossEntropy(
            z, labels: try golden.floats("labels"), weights: try golden.floats("weights"))
        try golden.check(loss, on: tape, inputs: ["z": z])
    }

    @Test func watchTime() throws {
        let golden = try Golden("watchTime")
        let z = try golden.input("z", on: tape)
        try golden.check(
            tape.watchTimeLoss(z, seconds: try golden.floats("seconds")), on: tape, inputs: ["z": z])
    }

    @Test func noWeightMeansNoLossAndNoGradient() {
        let z = tape.input([1, -2, 3], columns: 1)
        tape.track(z)
        let loss = tape.sigmoidCrossEntropy(z, labels: [1, 0, 1], weights: [0, 0, 0])
        tape.backward(from: loss)
        #expect(loss[0, 0] == 0)
        #expect(tape.gradientArray(of: z) == [0, 0, 0])
    }
}
