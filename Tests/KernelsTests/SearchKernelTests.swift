import Kernels
import Testing

@Suite struct SearchKernelTests {
    /// `[n, d]` bytes in -127...127 and their scales.
    private struct Rows {
        let count: Int
        let width: Int
        let bytes: [Int8]
        let scales: [Float]

        init(_ count: Int, width: Int, seed: UInt64, extreme: Bool = false) {
            self.count = count
            self.width = width
            bytes = extreme ? [Int8](repeating: 127, count: count * width) : randomBytes(count * width, seed: seed)
            scales = randomFloats(count, seed: seed + 1).map { abs($0) }
        }

        /// Blocks of 16 rows, what lies past the last row filled with noise.
        var blocks: [UInt8] {
            let size = SearchLayout.byteBlock(width: width)
            var blocks = [UInt8](repeating: 200, count: (count + 15) / 16 * size)
            for row in 0..<count {
                for k in 0..<(width + 3) / 4 * 4 {
                    let value = k < width ? bytes[row * width + k] : 0
                    blocks[row / 16 * size + SearchLayout.place(row: row % 16, element: k)] =
                        UInt8(Int(value) + 128)
                }
            }
            return blocks
        }
    }

    /// The query's bytes by the definition: the greatest element becomes 127.
    private func rounded(_ query: [Float]) -> (bytes: [Int32], scale: Float) {
        let peak = query.map { abs($0) }.max() ?? 0
        let factor = peak > 0 ? 127 / peak : 0
        return (query.map { Int32(($0 * factor).rounded(.toNearestOrEven)) }, peak / 127)
    }

    private func expected(_ query: [Float], _ rows: Rows, row: Int) -> Float {
        let (bytes, scale) = rounded(query)
        let sum = (0..<rows.width).reduce(Int32(0)) { $0 + bytes[$1] * Int32(rows.bytes[row * rows.width + $1]) }
        return Float(sum) * (rows.scales[row] * scale)
    }

    @Test(arguments: KernelSet.available, [1, 3, 4, 24, 33, 64, 100])
    func blocksOfBytesAreScoredExactly(_ kernels: KernelSet, width: Int) {
        for count in [0, 1, 7, 15, 16, 17, 33, 100] {
            for extreme in [false, true] {
                let rows = Rows(count, width: width, seed: UInt64(count), extreme: extreme)
                let query = extreme ? [Float](repeating: -2, count: width) : randomFloats(width, seed: 5)
                let prepared = ByteQuery()
                prepared.fill(query, width: width)
                var scores = [Float](repeating: .nan, count: count + 16)
                kernels.scoreBlocks(
                    prepared, blocks: rows.blocks, scales: rows.scales, count: count, scores: &scores)
                #expect(Array(scores.prefix(count)) == (0..<count).map { expected(query, rows, row: $0) })
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func rowsThatDoNotCountHaveNoScore(_ kernels: KernelSet) {
        let rows = Rows(70, width: 20, seed: 3)
        let query = randomFloats(20, seed: 6)
        let prepared = ByteQuery()
        prepared.fill(query, width: 20)
        for (first, bits) in [(0, 0x0000_FFFF_0000_8001), (5, 0xFFFF_0000_1234_5678), (63, ~0)] as [(Int, UInt64)] {
            let words = [bits, bits, bits, 0]
            var scores = [Float](repeating: .nan, count: 86)
            words.withUnsafeBufferPointer {
                kernels.scoreBlocks(
                    prepared, blocks: rows.blocks, scales: rows.scales, count: 70,
                    counting: RowMask(bits: $0.baseAddress, first: first), scores: &scores)
            }
            let counts = (0..<70).map { words[(first + $0) / 64] >> UInt64((first + $0) % 64) & 1 == 1 }
            for row in 0..<70 {
                #expect(scores[row] == (counts[row] ? expected(query, rows, row: row) : -.infinity), "row \(row)")
            }
        }
    }

    @Test(arguments: KernelSet.available, [1, 16, 17, 63, 64, 65, 128, 130])
    func byteRowsAreScoredExactly(_ kernels: KernelSet, width: Int) {
        let rows = Rows(40, width: width, seed: 8)
        let query = randomFloats(width, seed: 9)
        let prepared = ByteQuery()
        prepared.fill(query, width: width)
        for positions in [[], [39], [3, 3, 0], Array((0..<40).reversed())] as [[UInt32]] {
            var scores = [Float](repeating: .nan, count: positions.count)
            kernels.scoreByteRows(
                prepared, matrix: rows.bytes, scales: rows.scales, width: width, positions: positions,
                count: positions.count, scores: &scores)
            #expect(scores == positions.map { expected(query, rows, row: Int($0)) })
        }
    }

    @Test(arguments: KernelSet.available, [1, 7, 8, 24, 33, 64, 100])
    func rowsAnywhereAreScoredAsInAScan(_ kernels: KernelSet, width: Int) {
        let matrix = randomFloats(50 * width, seed: 10)
        let query = randomFloats(width, seed: 11)
        var scan = [Float](repeating: .nan, count: 50)
        kernels.scan(query: query, rows: matrix, count: 50, width: width, scores: &scan)
        for positions in [[], [49], [1, 1, 2, 0, 7], Array((0..<50).reversed())] as [[UInt32]] {
            var scores = [Float](repeating: .nan, count: positions.count)
            kernels.scoreRows(
                query: query, matrix: matrix, width: width, positions: positions, count: positions.count,
                scores: &scores)
            #expect(scores == positions.map { scan[Int($0)] })
        }
    }

    /// 4-bit codes of rows, packed in blocks of 32, and tables as the definition has them.
    private struct Codes {
        let m: Int
        /// `[rows][m]`.
        let codes: [[UInt8]]
        /// `[m][16]`, 0...63.
        let tables: [[UInt8]]

        init(rows: Int, m: Int, seed: UInt64, extreme: Bool) {
            var random = SeededGenerator(seed: seed)
            self.m = m
            codes = (0..<rows).map { _ in (0..<m).map { _ in UInt8.random(in: 0...15, using: &random) } }
            tables = (0..<m).map { _ in
                (0..<16).map { _ in extreme ? 63 : UInt8.random(in: 0...63, using: &random) }
            }
        }

        var blocks: [UInt8] {
            var blocks = [UInt8](repeating: 0, count: (codes.count + 31) / 32 * m / 2 * 32)
            for (row, code) in codes.enumerated() {
                for pair in 0..<m / 2 {
                    blocks[(row / 32 * (m / 2) + pair) * 32 + row % 32] = code[2 * pair] | code[2 * pair + 1] << 4
                }
            }
            return blocks
        }

        /// Tables of codes a, b, c, d as a, a, c, c, b, b, d, d.
        var layout: [UInt8] {
            stride(from: 0, to: m, by: 4).flatMap { j in
                [0, 0, 2, 2, 1, 1, 3, 3].flatMap { tables[j + $0] }
            }
        }

        func sum(_ row: Int) -> Int { (0..<m).reduce(0) { $0 + Int(tables[$1][Int(codes[row][$1])]) } }
    }

    @Test(arguments: KernelSet.available, [4, 8, 12, 32, 400])
    func codesAboveTheBarAreFound(_ kernels: KernelSet, m: Int) {
        for count in [1, 31, 32, 33, 100] {
            for (extreme, bias) in [(false, 0), (false, 4_000), (true, 37)] {
                let codes = Codes(rows: count, m: m, seed: UInt64(count + m), extreme: extreme)
                let middle = (0..<count).map { codes.sum($0) }.sorted()[count / 2]
                for bar in [0, bias, middle + bias, middle + bias + 1, 40_000, 65_536] {
                    let words = [0xFFFF_0F0F_FFFF_8001, ~0, 0x1234_5678_9ABC_DEF0, 0] as [UInt64]
                    for first in [nil, 0, 9] as [Int?] {
                        var sums = [UInt16](repeating: 0, count: count)
                        var positions = [UInt32](repeating: 0, count: count)
                        let found = words.withUnsafeBufferPointer {
                            kernels.scanCodes(
                                codes.blocks, tables: codes.layout, m: m, count: count,
                                counting: RowMask(bits: first == nil ? nil : $0.baseAddress, first: first ?? 0),
                                bias: bias, bar: bar, position: 1_000, sums: &sums, positions: &positions)
                        }
                        let expected = (0..<count).filter { row in
                            let bit = (first ?? 0) + row
                            let counts = first == nil || words[bit / 64] >> UInt64(bit % 64) & 1 == 1
                            return counts && codes.sum(row) + bias >= bar
                        }
                        #expect(positions.prefix(found).map { Int($0) - 1_000 } == expected)
                        #expect(sums.prefix(found).map(Int.init) == expected.map { codes.sum($0) + bias })
                    }
                }
            }
        }
    }

    @Test func tablesHoldProductsOfOneScale() {
        let (m, width) = (8, 3)
        let query = randomFloats(m * width, seed: 20)
        let codebook = randomFloats(m * width * 16, seed: 21)
        var tables = [UInt8](repeating: 0, count: m * 32)
        var work = [Float](repeating: 0, count: m * 16)
        let factor = kernels.codeTables(
            query, codebook: codebook, m: m, width: width, tables: &tables, work: &work)
        var widest = 0.0
        for j in 0..<m {
            let products = (0..<16).map { code in
                (0..<width).reduce(0.0) {
                    $0 + Double(query[j * width + $1]) * Double(codebook[(j * width + $1) * 16 + code])
                }
            }
            let least = products.min() ?? 0
            widest = max(widest, (products.max() ?? 0) - least)
            let base = (j / 4 * 8 + [0, 4, 2, 6][j % 4]) * 16
            for code in 0..<16 {
                #expect(abs(Double(tables[base + code]) - (products[code] - least) * Double(factor)) <= 0.5001)
                #expect(tables[base + 16 + code] == tables[base + code])
            }
        }
        #expect(abs(widest * Double(factor) - 63) < 1e-3)
    }

    @Test func aTableThatSaysNothingHasNoFactor() {
        var tables = [UInt8](repeating: 9, count: 128)
        var work = [Float](repeating: 0, count: 64)
        let factor = kernels.codeTables(
            [0, 0, 0, 0], codebook: randomFloats(64, seed: 1), m: 4, width: 1, tables: &tables, work: &work)
        #expect(factor == 0)
        #expect(tables.allSatisfy { $0 == 0 })
    }

    @Test func plainCodesAreTheNearest() {
        let (count, width) = (50, 2)
        let points = randomFloats(count * width, seed: 30)
        let words = randomFloats(width * 16, seed: 31)
        var codes = [UInt8](repeating: 99, count: count)
        kernels.nearestCodes(points, codewords: words, count: count, width: width, codes: &codes)
        for row in 0..<count {
            let costs = (0..<16).map { code in
                (0..<width).reduce(0.0) { sum, t in
                    let e = Double(points[row * width + t]) - Double(words[t * 16 + code])
                    return sum + e * e
                }
            }
            #expect(costs[Int(codes[row])] <= (costs.min() ?? 0) + 1e-6)
        }
    }

    @Test func anisotropicCodesCostNoMoreThanTheNearest() {
        let (m, width, eta) = (8, 2, 4.0)
        let residual = randomFloats(m * width, seed: 40)
        let norm = Double(residual.reduce(0) { $0 + $1 * $1 }).squareRoot()
        let direction = residual.map { Float(Double($0) / norm) }
        let codebook = randomFloats(m * width * 16, seed: 41)
        func cost(_ codes: [UInt8]) -> Double {
            var (square, along) = (0.0, 0.0)
            for k in 0..<m * width {
                let word = codebook[(k / width * width + k % width) * 16 + Int(codes[k / width])]
                let e = Double(residual[k] - word)
                square += e * e
                along += e * Double(direction[k])
            }
            return square + (eta - 1) * along * along
        }
        func encoded(eta: Float) -> [UInt8] {
            var codes = [UInt8](repeating: 0, count: m)
            kernels.anisotropicCodes(
                residual: residual, direction: direction, codebook: codebook, m: m, width: width, eta: eta, sweeps: 9,
                codes: &codes)
            return codes
        }
        let (plain, fitted) = (encoded(eta: 1), encoded(eta: Float(eta)))
        #expect(cost(fitted) < cost(plain))
        // No single code can be changed for the better.
        for j in 0..<m {
            for code in 0..<16 {
                var other = fitted
                other[j] = UInt8(code)
                #expect(cost(other) >= cost(fitted) - 1e-5)
            }
        }
    }

    @Test(arguments: [2, 17, 100, 5_000], [1, 16, 90, 4_999])
    func theGreatestSumsAreKeptInOrder(count: Int, wanted: Int) {
        let keep = min(wanted, count - 1)
        for distinct in [1, 40, 60_000] {
            var random = SeededGenerator(seed: UInt64(count + distinct))
            let low = 700
            let all = (0..<count).map { _ in UInt16(low + Int.random(in: 0..<distinct, using: &random)) }
            var (sums, positions) = (all, (0..<count).map { UInt32($0 * 3) })
            var histogram = [UInt32](repeating: 77, count: 65_536)
            let least = kernels.keepSums(
                &sums, &positions, count: count, keep: keep, low: low, histogram: &histogram)
            let best = all.indices.sorted { (all[$1], $0) < (all[$0], $1) }.prefix(keep)
            #expect(positions.prefix(keep).map { Int($0) / 3 } == best.sorted())
            #expect(sums.prefix(keep).elementsEqual(best.sorted().map { all[$0] }))
            #expect(least == best.last.map { Int(all[$0]) })
        }
    }

    @Test(arguments: [1, 2, 33, 600, 5_000], [1, 20, 125, 5_000])
    func theGreatestScoresAreKept(count: Int, wanted: Int) {
        let keep = min(wanted, count)
        let normal = randomFloats(count, seed: UInt64(count))
        let far = normal.enumerated().map { $0 == 0 ? -1e30 : $1 }
        let tiny = normal.map { $0 * .leastNormalMagnitude }
        for all in [normal, far, tiny, normal.map { _ in Float(2) }, normal.map { $0.rounded() }] {
            var (scores, positions) = (all, (0..<count).map { UInt32($0) })
            let (kept, bar) = kernels.keepScores(&scores, &positions, count: count, keep: keep)
            let sorted = all.sorted(by: >)
            #expect(kept >= keep)
            #expect(bar <= sorted[keep - 1])
            #expect(positions.prefix(kept).map(Int.init) == all.indices.filter { all[$0] >= bar })
            #expect(scores.prefix(kept).elementsEqual(positions.prefix(kept).map { all[Int($0)] }))
        }
        var (scores, positions) = (normal, (0..<count).map { UInt32($0) })
        #expect(kernels.keepScores(&scores, &positions, count: count, keep: keep).count <= keep + 8 + keep / 10)
    }

    @Test func foldingKeepsTheGreatestOfEveryColumn() {
        let scores = randomFloats(100, seed: 50)
        var columns = [Float](repeating: 0, count: 32)
        kernels.foldMaximum(scores, count: 100, width: 32, columns: &columns)
        #expect(columns == (0..<32).map { j in stride(from: j, to: 100, by: 32).map { scores[$0] }.max() })
    }
}
