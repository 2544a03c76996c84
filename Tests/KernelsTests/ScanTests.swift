import Kernels
import Testing

@Suite struct ScanTests {
    @Test(arguments: KernelSet.available)
    func scoresMatchTheDefinitionForEveryWidthAndCount(_ kernels: KernelSet) {
        for d in awkwardSizes {
            for n in [0, 1, 3, 4, 5, 8, 11] {
                let query = randomFloats(d, seed: 1)
                let rows = randomFloats(n * d, seed: 2)
                var scores = [Float](repeating: .nan, count: n)
                kernels.scan(query: query, rows: rows, count: n, width: d, scores: &scores)
                #expect(worstError(scores, plainProduct(rows, query, n: n, k: d, m: 1)) < 1e-5, "\(n)x\(d)")
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func aRowsScoreDoesNotDependOnItsPlace(_ kernels: KernelSet) {
        for d in [7, 32, 33, 64] {
            let query = randomFloats(d, seed: 3)
            let rows = randomFloats(13 * d, seed: 4)
            var all = [Float](repeating: 0, count: 13)
            kernels.scan(query: query, rows: rows, count: 13, width: d, scores: &all)
            for start in 0..<13 {
                var tail = [Float](repeating: 0, count: 13 - start)
                kernels.scan(
                    query: query, rows: Array(rows[(start * d)...]), count: 13 - start, width: d, scores: &tail)
                #expect(tail == Array(all[start...]))
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func severalQueriesEqualEachAlone(_ kernels: KernelSet) {
        for d in [0, 1, 9, 32, 33, 64] {
            for count in [0, 1, 3, 4, 5, 9] {
                let queries = randomFloats(count * d, seed: 5)
                let rows = randomFloats(11 * d, seed: 6)
                var scores = [Float](repeating: .nan, count: count * 11)
                kernels.scan(queries: queries, queryCount: count, rows: rows, count: 11, width: d, scores: &scores)
                for q in 0..<count {
                    var one = [Float](repeating: .nan, count: 11)
                    kernels.scan(
                        query: Array(queries[q * d..<(q + 1) * d]), rows: rows, count: 11, width: d, scores: &one)
                    #expect(one == Array(scores[q * 11..<(q + 1) * 11]))
                }
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func stridedRowsSkipWhatLiesBetween(_ kernels: KernelSet) {
        let rows = randomFloats(5 * 20, seed: 7)
        let query = randomFloats(17, seed: 8)
        let narrow = (0..<5).flatMap { rows[$0 * 20..<$0 * 20 + 17] }
        var scores = [Float](repeating: .nan, count: 5)
        kernels.scan(query: query, rows: rows, count: 5, width: 17, stride: 20, scores: &scores)
        #expect(worstError(scores, plainProduct(narrow, query, n: 5, k: 17, m: 1)) < 1e-5)
    }

    @Test(arguments: KernelSet.available)
    func byteScoresAreExactEvenAtTheExtremes(_ kernels: KernelSet) {
        for d in awkwardSizes {
            for n in [0, 1, 4, 7] {
                for extreme in [false, true] {
                    let query = extreme ? [Int8](repeating: -127, count: d) : randomBytes(d, seed: 9)
                    let rows = extreme ? [Int8](repeating: 127, count: n * d) : randomBytes(n * d, seed: 10)
                    var scores = [Int32](repeating: .min, count: n)
                    kernels.scan(query: query, rows: rows, count: n, width: d, scores: &scores)
                    let expected = (0..<n).map { i in
                        (0..<d).reduce(Int32(0)) { $0 + Int32(query[$1]) * Int32(rows[i * d + $1]) }
                    }
                    #expect(scores == expected)
                }
            }
        }
    }

    @Test func quantizedRowsAreWithinHalfAStep() {
        let row = randomFloats(33, seed: 11)
        var bytes = [Int8](repeating: 0, count: 33)
        let scale = kernels.quantize(row, count: 33, bytes: &bytes)
        #expect(bytes.map { abs(Int($0)) }.max() == 127)
        #expect(zip(row, bytes).allSatisfy { abs($0 - scale * Float($1)) <= scale * 0.5001 })
        #expect(kernels.quantize([Float](repeating: 0, count: 3), count: 3, bytes: &bytes) == 0)
    }

    @Test(arguments: KernelSet.available)
    func collectFindsEveryPositionAtOrAboveTheBar(_ kernels: KernelSet) {
        for n in awkwardSizes {
            var scores = randomFloats(n, seed: 12)
            if n > 3 { scores[3] = .nan }
            if n > 5 { scores[5] = 0.25 }
            var positions = [UInt32](repeating: 0, count: n)
            let found = kernels.collect(scores, count: n, threshold: 0.25, positions: &positions)
            #expect(positions.prefix(found).map(Int.init) == scores.indices.filter { scores[$0] >= 0.25 })
        }
    }
}
