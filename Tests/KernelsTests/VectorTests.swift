import Foundation
import Kernels
import Testing

@Suite struct VectorTests {
    @Test func theEnvironmentChoosesTheKernels() {
        let wanted = ProcessInfo.processInfo.environment["TRIBUTARY_KERNELS"]
        let names = KernelSet.available.map(\.name)
        #expect(KernelSet.active.name == names.first { $0 == wanted } ?? names.last)
    }

    @Test(arguments: KernelSet.available)
    func reductionsMatchTheDefinition(_ kernels: KernelSet) {
        for n in awkwardSizes {
            let x = randomFloats(n, seed: 1)
            let y = randomFloats(n, seed: 2)
            let dot = zip(x, y).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let square = x.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(abs(Double(kernels.dot(x, y, count: n)) - dot) < 1e-5 * (1 + square))
            #expect(abs(Double(kernels.sum(x, count: n)) - x.reduce(0.0) { $0 + Double($1) }) < 1e-5 * (1 + square))
            #expect(abs(Double(kernels.norm(x, count: n)) - square.squareRoot()) < 1e-5 * (1 + square))
            #expect(kernels.maximum(x, count: n) == x.max() ?? -.infinity)
        }
    }

    @Test(arguments: [1, 4, 8, 12, 64])
    func gatheringCopiesRowsAndStopsAtOneThatIsNotThere(width: Int) {
        let table = (0..<20 * width).map(Float.init)
        let rows = [19, 0, 7, 7, 20, 3] + [UInt32](0..<20)
        let stride = width + 1
        func gather(_ rows: ArraySlice<UInt32>) -> (copied: Int, y: [Float]) {
            var y = [Float](repeating: -1, count: rows.count * stride)
            let copied = rows.withUnsafeBufferPointer {
                kernels.gather(table, tableRows: 20, width: width, rows: $0, to: &y, stride: stride)
            }
            return (copied, y)
        }
        #expect(gather(rows[...]).copied == 4)
        let whole = gather(rows[5...])
        #expect(whole.copied == 21)
        let expected = rows[5...].flatMap { row -> [Float] in
            (0..<width).map { Float(Int(row) * width + $0) } + [-1]
        }
        #expect(whole.y == expected)
        #expect(gather([]).copied == 0)
    }

    @Test(arguments: KernelSet.available)
    func elementwiseUpdatesTouchExactlyTheirRange(_ kernels: KernelSet) {
        for n in awkwardSizes {
            let x = randomFloats(n, seed: 3)
            let y = randomFloats(n, seed: 4)
            let guarded = y + [99]
            var z = guarded
            kernels.axpy(0.5, x, &z, count: n)
            #expect(worstError(z, zip(x, y).map { 0.5 * Double($0) + Double($1) } + [99]) < 1e-6)
            z = guarded
            kernels.scale(-3, x, &z, count: n)
            #expect(worstError(z, x.map { -3 * Double($0) } + [99]) < 1e-6)
            z = guarded
            kernels.multiply(x, y, &z, count: n)
            #expect(worstError(z, zip(x, y).map { Double($0) * Double($1) } + [99]) < 1e-6)
            z = guarded
            kernels.multiplyAdd(x, x, &z, count: n)
            #expect(worstError(z, zip(x, y).map { Double($0) * Double($0) + Double($1) } + [99]) < 1e-6)
        }
    }

    @Test(arguments: KernelSet.available)
    func activationsAndTheirSlopesMatchTheDefinition(_ kernels: KernelSet) {
        for n in awkwardSizes {
            let x = randomFloats(n, seed: 5, scale: 4)
            let dy = randomFloats(n, seed: 6)
            for activation in Activation.allCases {
                let expected = x.map { plainActivation(activation, Double($0)) }
                var y = [Float](repeating: .nan, count: n)
                kernels.activate(activation, x, &y, count: n)
                #expect(worstError(y, expected) < 1e-6, "\(activation) \(n)")
                // Central differences of the definition, in double.
                let slopes = x.map { x in
                    let x = Double(x)
                    return (plainActivation(activation, x + 1e-6) - plainActivation(activation, x - 1e-6)) / 2e-6
                }
                var dx = [Float](repeating: .nan, count: n)
                kernels.activateGradient(activation, output: y, gradient: dy, &dx, count: n)
                #expect(worstError(dx, zip(slopes, dy).map { $0 * Double($1) }) < 2e-6, "\(activation) \(n)")
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func saturatedActivationsStayFinite(_ kernels: KernelSet) {
        let x: [Float] = [-1e30, -1000, -100, -88, 88, 100, 1000, 1e30, 0]
        var y = [Float](repeating: .nan, count: x.count)
        kernels.activate(.sigmoid, x, &y, count: x.count)
        #expect(worstError(y, [0, 0, 0, 0, 1, 1, 1, 1, 0.5]) < 1e-6)
        kernels.activate(.tanh, x, &y, count: x.count)
        #expect(worstError(y, [-1, -1, -1, -1, 1, 1, 1, 1, 0]) < 1e-6)
    }

    @Test(arguments: KernelSet.available)
    func exponentialIsAccurateOverItsRange(_ kernels: KernelSet) {
        let x = (-8700...8800).map { Float($0) / 100 }
        var y = [Float](repeating: 0, count: x.count)
        kernels.exponential(x, y: &y)
        let worst = zip(x, y).map { abs(Double($1) / exp(Double($0)) - 1) }.max() ?? .infinity
        #expect(worst < 1e-6)
    }

    @Test(arguments: KernelSet.available)
    func softmaxSumsToOneEvenForHugeScores(_ kernels: KernelSet) {
        for n in awkwardSizes where n > 0 {
            let x = randomFloats(n, seed: 7, scale: 3).map { $0 + 1000 }
            let peak = Double(x.max() ?? 0)
            let total = x.reduce(0.0) { $0 + exp(Double($1) - peak) }
            var y = [Float](repeating: .nan, count: n)
            let logSum = kernels.softmax(x, &y, count: n)
            #expect(worstError(y, x.map { exp(Double($0) - peak) / total }) < 1e-6)
            #expect(abs(Double(logSum) - peak - log(total)) < 1e-3)
        }
    }

    @Test(arguments: KernelSet.available)
    func normalizedRowsHaveUnitLengthAndZeroStaysZero(_ kernels: KernelSet) {
        for n in awkwardSizes where n > 0 {
            let x = randomFloats(n, seed: 8, scale: 5)
            var y = x
            kernels.normalize(x, &y, count: n)
            #expect(abs(kernels.norm(y, count: n) - 1) < 1e-6)
            let zero = [Float](repeating: 0, count: n)
            #expect(kernels.normalize(zero, &y, count: n) == 0)
            #expect(y == zero)
        }
    }

    @Test(arguments: KernelSet.available)
    func optimizerStepsMatchTheirFormulas(_ kernels: KernelSet) {
        for n in awkwardSizes {
            var w = randomFloats(n, seed: 9)
            var m = [Float](repeating: 0, count: n)
            var v = m
            var expected = w.map(Double.init)
            var first = [Double](repeating: 0, count: n)
            var second = first
            for step in 1...3 {
                let g = randomFloats(n, seed: UInt64(10 + step))
                let rule = AdamStep(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: step)
                kernels.adam(rule, gradient: g, weights: &w, m: &m, v: &v, count: n)
                for i in 0..<n {
                    let x = Double(g[i])
                    first[i] = 0.9 * first[i] + 0.1 * x
                    second[i] = 0.999 * second[i] + 0.001 * x * x
                    let mean = first[i] / (1 - pow(0.9, Double(step)))
                    let spread = second[i] / (1 - pow(0.999, Double(step)))
                    expected[i] -= 0.01 * mean / (spread.squareRoot() + 1e-8)
                }
            }
            #expect(worstError(w, expected) < 1e-5)
            var accumulator = [Float](repeating: 0.1, count: n)
            let g = randomFloats(n, seed: 20)
            let before = w
            kernels.adagrad(
                learningRate: 0.1, epsilon: 1e-6, gradient: g, weights: &w, accumulator: &accumulator, count: n)
            let after = zip(before, g).map { (old: Float, slope: Float) -> Double in
                let x = Double(slope)
                return Double(old) - 0.1 * x / ((0.1 + x * x).squareRoot() + 1e-6)
            }
            #expect(worstError(w, after) < 1e-5)
        }
    }
}

extension KernelSet {
    fileprivate func exponential(_ x: [Float], y: inout [Float]) {
        exponential(x, &y, count: x.count)
    }
}
