import Foundation
import Kernels
import Testing

@Suite struct MatrixTests {
    struct Shape: Sendable, CustomStringConvertible {
        var n: Int
        var k: Int
        var m: Int
        var description: String { "\(n)x\(k)x\(m)" }
    }

    static let shapes: [Shape] =
        [0, 1, 5, 6, 7, 13].flatMap { n in
            [0, 1, 3, 16, 33].flatMap { k in
                [1, 2, 8, 15, 16, 17, 33].map { Shape(n: n, k: k, m: $0) }
            }
        } + [Shape(n: 7, k: 600, m: 17), Shape(n: 3, k: 257, m: 257), Shape(n: 200, k: 9, m: 33)]

    @Test(arguments: KernelSet.available)
    func productsOfAllTranspositionsMatchTheDefinition(_ kernels: KernelSet) {
        for shape in MatrixTests.shapes {
            let (n, k, m) = (shape.n, shape.k, shape.m)
            let a = randomFloats(n * k, seed: 1)
            // Sums of about unit size: the bound below is then relative.
            let b = randomFloats(k * m, seed: 2, scale: 1 / Float(max(1, k)).squareRoot())
            let expected = plainProduct(a, b, n: n, k: k, m: m)
            let aTurned = plainTranspose(a, rows: n, columns: k)
            let bTurned = plainTranspose(b, rows: k, columns: m)
            withBuffers(a, b, aTurned, bTurned) { buffers in
                let plainA = MatrixOperand(buffers[0], rows: n, columns: k)
                let plainB = MatrixOperand(buffers[1], rows: k, columns: m)
                let turnedA = MatrixOperand(buffers[2], rows: k, columns: n).transposed
                let turnedB = MatrixOperand(buffers[3], rows: m, columns: k).transposed
                for (left, right) in [(plainA, plainB), (turnedA, plainB), (plainA, turnedB), (turnedA, turnedB)] {
                    for threads in [Threads.one, Threads(3)] {
                        var c = [Float](repeating: .nan, count: n * m)
                        kernels.multiply(left, right, into: &c, threads: threads)
                        #expect(worstError(c, expected) < 1e-5, "\(shape)")
                    }
                }
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func biasActivationAndAccumulationAreFused(_ kernels: KernelSet) {
        for shape in MatrixTests.shapes {
            let (n, k, m) = (shape.n, shape.k, shape.m)
            let a = randomFloats(n * k, seed: 3)
            let b = randomFloats(k * m, seed: 4, scale: 0.2)
            let bias = randomFloats(m, seed: 5)
            let old = randomFloats(n * m, seed: 6)
            let product = plainProduct(a, b, n: n, k: k, m: m)
            withBuffers(a, b) { buffers in
                let left = MatrixOperand(buffers[0], rows: n, columns: k)
                let right = MatrixOperand(buffers[1], rows: k, columns: m)
                let packed = PackedMatrix(right)
                for activation in Activation.allCases {
                    let expected = product.enumerated().map { plainActivation(activation, $1 + Double(bias[$0 % m])) }
                    var c = [Float](repeating: .nan, count: n * m)
                    kernels.multiply(left, right, bias: bias, activation: activation, into: &c)
                    #expect(worstError(c, expected) < 1e-5, "\(shape) \(activation)")
                    c = [Float](repeating: .nan, count: n * m)
                    kernels.multiply(left, packed, bias: bias, activation: activation, into: &c)
                    #expect(worstError(c, expected) < 1e-5, "\(shape) \(activation) packed")
                }
                var c = old
                kernels.multiply(left, right, accumulate: true, into: &c)
                #expect(worstError(c, zip(product, old).map { $0 + Double($1) }) < 1e-5, "\(shape)")
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func stridedOperandsLeaveTheirSurroundingsAlone(_ kernels: KernelSet) {
        // A [4, 3] matrix inside a [4, 5] one, a result of 2 columns inside rows of 6.
        let wide = randomFloats(20, seed: 7)
        let b = randomFloats(6, seed: 8)
        let narrow = (0..<4).flatMap { wide[$0 * 5..<$0 * 5 + 3] }
        let expected = plainProduct(narrow, b, n: 4, k: 3, m: 2)
        var c = [Float](repeating: -7, count: 24)
        wide.withUnsafeBufferPointer {
            kernels.multiply(
                MatrixOperand($0, rows: 4, columns: 3, stride: 5), packed(b, rows: 3, columns: 2), into: &c, stride: 6)
        }
        #expect(worstError((0..<4).flatMap { c[$0 * 6..<$0 * 6 + 2] }, expected) < 1e-6)
        #expect((0..<4).allSatisfy { c[$0 * 6 + 2..<$0 * 6 + 6].allSatisfy { $0 == -7 } })
    }

    @Test(arguments: KernelSet.available)
    func aRowDoesNotDependOnTheRowsBesideIt(_ kernels: KernelSet) {
        let a = randomFloats(50 * 64, seed: 9)
        let b = randomFloats(64 * 48, seed: 10)
        let packed = packed(b, rows: 64, columns: 48)
        a.withUnsafeBufferPointer { a in
            var all = [Float](repeating: 0, count: 50 * 48)
            kernels.multiply(MatrixOperand(a, rows: 50, columns: 64), packed, into: &all)
            for row in 0..<50 {
                var one = [Float](repeating: 0, count: 48)
                let alone = UnsafeBufferPointer(rebasing: a[row * 64..<(row + 1) * 64])
                kernels.multiply(MatrixOperand(alone, rows: 1, columns: 64), packed, into: &one)
                #expect(one == Array(all[row * 48..<(row + 1) * 48]))
            }
        }
    }

    /// The product with the inverse is the identity, at sizes around the blocks of 128.
    @Test(arguments: [1, 2, 127, 128, 129, 300])
    func theInverseOfAPositiveDefiniteMatrixInverts(n: Int) {
        var random = SeededGenerator(seed: UInt64(n))
        let roots = (0..<n * n).map { _ in Float(random.normal()) }
        var matrix = [Float](repeating: 0, count: n * n)
        for i in 0..<n {
            for j in 0..<n {
                let product = (0..<n).reduce(0.0) { $0 + Double(roots[i * n + $1]) * Double(roots[j * n + $1]) }
                matrix[i * n + j] = Float(product / Double(n)) + (i == j ? 1 : 0)
            }
        }
        var inverse = matrix
        #expect(
            inverse.withUnsafeMutableBufferPointer { kernels.invertPositiveDefinite($0, count: n, threads: Threads(2)) }
        )
        for i in 0..<n {
            for j in 0..<n {
                let product = (0..<n).reduce(0.0) { $0 + Double(matrix[i * n + $1]) * Double(inverse[$1 * n + j]) }
                #expect(abs(product - (i == j ? 1 : 0)) < 1e-4, "\(i), \(j)")
            }
        }
    }

    @Test func aMatrixThatIsNotPositiveDefiniteIsRefused() {
        var matrix: [Float] = [1, 2, 2, 1]
        #expect(!matrix.withUnsafeMutableBufferPointer { kernels.invertPositiveDefinite($0, count: 2) })
    }
}

func plainActivation(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .identity: x
    case .relu: max(x, 0)
    case .leakyReLU: x > 0 ? x : 0.01 * x
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .twiceSigmoid: 2 / (1 + exp(-x))
    }
}
