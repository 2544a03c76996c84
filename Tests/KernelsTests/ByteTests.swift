import Kernels
import Testing

/// Products of bytes against the definition: quantised and multiplied in double.
@Suite struct ByteTests {
    /// Rows as the definition rounds them: 127 steps from the least to the greatest value, ties to even.
    static func quantised(_ x: [Float], columns: Int) -> [Double] {
        guard columns > 0 else { return [] }
        return stride(from: 0, to: x.count, by: columns).flatMap { start -> [Double] in
            let row = x[start..<start + columns]
            guard let low = row.min(), let high = row.max() else { return [] }
            let inverse: Float = high > low ? 127 / (high - low) : 0
            return row.map {
                Double(low) + Double(high - low) / 127 * Double((($0 - low) * inverse).rounded(.toNearestOrEven))
            }
        }
    }

    /// Columns as the definition rounds them: 63 steps from zero to the greatest magnitude.
    static func quantisedWeights(_ w: [Float], rows: Int, columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: w.count)
        for j in 0..<columns {
            let greatest = (0..<rows).map { abs(w[$0 * columns + j]) }.max() ?? 0
            for p in 0..<rows where greatest > 0 {
                let step = (w[p * columns + j] * (63 / greatest)).rounded(.toNearestOrEven)
                result[p * columns + j] = Double(greatest) / 63 * Double(step)
            }
        }
        return result
    }

    static func product(_ a: [Double], _ b: [Double], n: Int, k: Int, m: Int) -> [Double] {
        (0..<n).flatMap { i in
            (0..<m).map { j in (0..<k).reduce(0) { $0 + a[i * k + $1] * b[$1 * m + j] } }
        }
    }

    @Test(arguments: KernelSet.available)
    func aRowBecomesStepsFromItsLeastToItsGreatestValue(_ kernels: KernelSet) {
        let rows = QuantizedRows(rowsMax: 3, columnsMax: 3)
        rows.assign([-1, 0, 3, 0, 12.7, 6.35, 5, 5, 5], rows: 3, columns: 3, stride: 3, by: kernels)
        // 4 / 127 a step: 0 is nearest to step 32, which stands for 128 / 127 - 1. 6.35 is half a step: to even.
        #expect(worstError(rows.values(ofRow: 0), [-1, 1.0 / 127, 3]) < 1e-6)
        #expect(worstError(rows.values(ofRow: 1), [0, 12.7, 6.4]) < 1e-6)
        #expect(rows.values(ofRow: 2) == [5, 5, 5])
    }

    @Test(arguments: KernelSet.available)
    func awkwardRowsAreQuantisedByTheDefinition(_ kernels: KernelSet) {
        for columns in awkwardSizes {
            let rows = QuantizedRows(rowsMax: 5, columnsMax: columns)
            // Rows of a wider matrix, whose other elements must not count.
            let wide = randomFloats(5 * (columns + 3), seed: 1)
            let own = (0..<5).flatMap { wide[$0 * (columns + 3)..<$0 * (columns + 3) + columns] }
            rows.assign(wide, rows: 5, columns: columns, stride: columns + 3, by: kernels)
            #expect(worstError((0..<5).flatMap(rows.values), ByteTests.quantised(own, columns: columns)) < 1e-6)
        }
    }

    @Test(arguments: KernelSet.available)
    func productsBiasAndActivationMatchTheDefinition(_ kernels: KernelSet) {
        for shape in MatrixTests.shapes {
            let (n, k, m) = (shape.n, shape.k, shape.m)
            let a = randomFloats(n * k, seed: 2)
            let b = randomFloats(k * m, seed: 3, scale: 1 / Float(max(1, k)).squareRoot())
            let bias = randomFloats(m, seed: 4)
            let old = randomFloats(n * m, seed: 5)
            let expected = ByteTests.product(
                ByteTests.quantised(a, columns: k), ByteTests.quantisedWeights(b, rows: k, columns: m), n: n, k: k,
                m: m)
            let rows = QuantizedRows(rowsMax: n, columnsMax: k)
            rows.assign(a, rows: n, columns: k, stride: k, by: kernels)
            let weights = b.withUnsafeBufferPointer { QuantizedMatrix(MatrixOperand($0, rows: k, columns: m)) }
            for activation in Activation.allCases {
                var c = [Float](repeating: .nan, count: n * m)
                kernels.multiply(rows, weights, bias: bias, activation: activation, into: &c)
                let wanted = expected.enumerated().map { plainActivation(activation, $1 + Double(bias[$0 % m])) }
                #expect(worstError(c, wanted) < 2e-5, "\(shape) \(activation)")
            }
            var c = old
            kernels.multiply(rows, weights, accumulate: true, into: &c)
            #expect(worstError(c, zip(expected, old).map { $0 + Double($1) }) < 2e-5, "\(shape)")
        }
    }

    /// The largest sums there can be: sixteen bits must hold four products.
    @Test(arguments: KernelSet.available, [Float(1), -1])
    func extremesDoNotSaturate(_ kernels: KernelSet, sign: Float) {
        let k = 200
        var x = [Float](repeating: 1, count: k)
        x[0] = 0
        let rows = QuantizedRows(rowsMax: 1, columnsMax: k)
        rows.assign(x, rows: 1, columns: k, stride: k, by: kernels)
        let weights = [Float](repeating: sign, count: k * 20)
        let packed = weights.withUnsafeBufferPointer { QuantizedMatrix(MatrixOperand($0, rows: k, columns: 20)) }
        var c = [Float](repeating: .nan, count: 20)
        kernels.multiply(rows, packed, into: &c)
        #expect(worstError(c, [Double](repeating: 199 * Double(sign), count: 20)) < 1e-6)
    }

    @Test(arguments: KernelSet.available)
    func resultsStayInsideTheirRows(_ kernels: KernelSet) {
        let rows = QuantizedRows(rowsMax: 4, columnsMax: 9)
        rows.assign(randomFloats(36, seed: 6), rows: 4, columns: 9, stride: 9, by: kernels)
        let b = randomFloats(18, seed: 7)
        let weights = b.withUnsafeBufferPointer { QuantizedMatrix(MatrixOperand($0, rows: 9, columns: 2)) }
        var c = [Float](repeating: -7, count: 24)
        kernels.multiply(rows, weights, activation: .sigmoid, into: &c, stride: 6)
        #expect((0..<4).allSatisfy { c[$0 * 6] != -7 && c[$0 * 6 + 2..<$0 * 6 + 6].allSatisfy { $0 == -7 } })
    }
}
