import Foundation
import Kernels
import Testing

@Suite struct MixtureTests {
    @Test(arguments: KernelSet.available, [1, 2, 4, 5, 8])
    func mixturesMatchTheDefinition(_ kernels: KernelSet, experts: Int) {
        for (rows, tasks, width) in [(0, 1, 4), (1, 1, 1), (3, 2, 17), (7, 3, 64)] {
            let values = randomFloats(rows * experts * width, seed: 1)
            // Logits so far apart that their exponentials alone would overflow.
            var gates = randomFloats(rows * tasks * experts, seed: 2, scale: 60)
            var expected: [Double] = []
            for task in 0..<tasks {
                for row in 0..<rows {
                    let logits = (0..<experts).map { Double(gates[(row * tasks + task) * experts + $0]) }
                    let peak = logits.max() ?? 0
                    let weights = logits.map { exp($0 - peak) }
                    let total = weights.reduce(0, +)
                    for j in 0..<width {
                        expected.append(
                            (0..<experts).reduce(0) {
                                $0 + weights[$1] / total * Double(values[(row * experts + $1) * width + j])
                            })
                    }
                }
            }
            var mixed = [Float](repeating: .nan, count: tasks * rows * width)
            kernels.mix(values, gates: &gates, rows: rows, tasks: tasks, experts: experts, width: width, into: &mixed)
            #expect(worstError(mixed, expected) < 1e-5, "\(rows) \(tasks) \(experts) \(width)")
        }
    }

    @Test(arguments: KernelSet.available)
    func scaledWeightsMatchTheDefinition(_ kernels: KernelSet) {
        for (d, extra, m) in [(1, 0, 1), (5, 2, 1), (3, 0, 2), (8, 0, 16), (9, 4, 33), (32, 3, 64)] {
            let start = randomFloats((d + extra) * m, seed: 3)
            let product = randomFloats((d + extra) * m, seed: 4)
            let scaled = ScaledMatrix(
                start: packed(start, rows: d + extra, columns: m), product: packed(product, rows: d + extra, columns: m)
            )
            let a = randomFloats(2 * (d + extra), seed: 5)
            // A second scaling must not build on the first.
            for seed in [6, 7] as [UInt64] {
                let x = randomFloats(d, seed: seed)
                scaled.scale(by: x, count: d, with: kernels)
                let weights = start.indices.map { place in
                    place / m < d ? start[place] + x[place / m] * product[place] : start[place]
                }
                var c = [Float](repeating: .nan, count: 2 * m)
                a.withUnsafeBufferPointer {
                    kernels.multiply(MatrixOperand($0, rows: 2, columns: d + extra), scaled.matrix, into: &c)
                }
                #expect(worstError(c, plainProduct(a, weights, n: 2, k: d + extra, m: m)) < 1e-5, "\(d) \(extra) \(m)")
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func matricesPackedAgainForgetTheOneBefore(_ kernels: KernelSet) {
        let scratch = PackedScratch(rowsMax: 20, columnsMax: 33)
        for (n, k, m) in [(2, 20, 33), (3, 7, 1), (1, 0, 5), (5, 16, 16), (20, 1, 2)] {
            let a = randomFloats(n * k, seed: 8)
            let b = randomFloats(k * m, seed: 9)
            withBuffers(a, b) { buffers in
                scratch.assign(MatrixOperand(buffers[1], rows: k, columns: m))
                var c = [Float](repeating: .nan, count: n * m)
                kernels.multiply(MatrixOperand(buffers[0], rows: n, columns: k), scratch, into: &c)
                #expect(worstError(c, plainProduct(a, b, n: n, k: k, m: m)) < 1e-5, "\(n) \(k) \(m)")
            }
        }
    }
}
