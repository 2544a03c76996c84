import Kernels

/// Scans lists of 4-bit codes. The candidates kept lie in `scratch.sums` and `scratch.positions`; the best of them are looked
/// at again by their bytes.
struct CodeScan: ListScan {
    private(set) var offered = 0
    private(set) var excluded = 0
    private let index: VectorIndex
    private let lists: InvertedLists
    private let codes: CodeBlocks
    private let rows: ByteRows
    private let goal: SearchGoal
    private let blocks: UnsafePointer<UInt8>
    private let filter: UnsafePointer<UInt64>?
    private let scratch: SearchScratch
    private let tables: UnsafeMutablePointer<UInt8>
    private let sums: UnsafeMutablePointer<UInt16>
    private let positions: UnsafeMutablePointer<UInt32>
    /// Units of a sum for one of a score.
    private let factor: Float
    /// The best centroid's score: sums are counted from it.
    private var top: Float?
    /// Candidates that a selection leaves, and how many call for one.
    private let keep: Int
    private let full: Int
    private var kept = 0
    private var bar = 0

    /// The bias of the best list: lists whose centroid scores less have less, and none may go below zero.
    private static let bias = 4_000

    init(
        _ index: VectorIndex, _ lists: InvertedLists, _ codes: CodeBlocks, _ rows: ByteRows, _ goal: SearchGoal,
        _ scratch: SearchScratch
    ) {
        self.index = index
        self.lists = lists
        self.codes = codes
        self.rows = rows
        self.goal = goal
        self.scratch = scratch
        blocks = codes.codes.address
        filter = goal.filter?.bits.address
        keep = index.report.reranked(for: goal.wanted)
        full = 2 * keep + 128
        sums = scratch.sums.room(full + SearchScratch.block)
        positions = scratch.positions.room(full + SearchScratch.block)
        let m = codes.quantizer.subspaces
        tables = scratch.tables.room(2 * SearchLayout.codes * m)
        let found = kernels.codeTables(
            goal.query, codebook: codes.quantizer.codebook.address, m: m, width: codes.quantizer.width, tables: tables,
            work: scratch.tableWork.room(SearchLayout.codes * m))
        factor = found > 0 ? found : 1
    }

    func ask(for list: Int) {
        kernels.prefetch(blocks + codes.starts[list] * codes.blockSize, count: 1024)
    }

    mutating func scan(_ list: Int, score: Float, excluding keys: borrowing KeySet) {
        let range = lists.range(list)
        let base = blocks + codes.starts[list] * codes.blockSize
        let distance = (score - (top ?? score)) * factor
        top = top ?? score
        let bias = Int(max(distance, -Float(Self.bias)).rounded()) + Self.bias
        for start in stride(from: range.lowerBound, to: range.upperBound, by: SearchScratch.block) {
            let found = kernels.scanCodes(
                base + (start - range.lowerBound) / SearchLayout.codeRows * codes.blockSize, tables: tables,
                m: codes.quantizer.subspaces, count: min(SearchScratch.block, range.upperBound - start),
                counting: RowMask(bits: filter, first: start), bias: bias, bar: bar, position: start,
                sums: sums + kept, positions: positions + kept)
            take(found, excluding: keys)
            if kept > full { select() }
        }
    }

    private mutating func take(_ found: Int, excluding keys: borrowing KeySet) {
        var taken = found
        if keys.count > 0 {
            taken = 0
            for place in kept..<kept + found where !keys.contains(index.keys[Int(positions[place])]) {
                sums[kept + taken] = sums[place]
                positions[kept + taken] = positions[place]
                taken += 1
            }
        }
        excluded += found - taken
        offered += taken
        kept += taken
    }

    /// Keeps the best, of equal ones the first; later candidates must be better than the last.
    private mutating func select() {
        let least = kernels.keepSums(
            sums, positions, count: kept, keep: keep, low: bar,
            histogram: scratch.histogram.room(Int(UInt16.max) + 1))
        kept = keep
        bar = least + 1
    }

    mutating func finish() -> Int {
        if kept > keep { select() }
        return rows.keepBest(index.report.finest(for: goal.wanted), of: kept, scratch)
    }
}

extension ByteRows {
    /// Leaves the best `limit` of the candidates in `scratch.positions`, or a few more, in no order; how many. `scratch.bytes`
    /// holds the query.
    func keepBest(_ limit: Int, of count: Int, _ scratch: SearchScratch) -> Int {
        if count <= limit { return count }
        let positions = scratch.positions.room(count)
        let scores = scratch.scores.room(count)
        kernels.scoreByteRows(
            scratch.bytes, matrix: bytes.address, scales: scales.address, width: width, positions: positions,
            count: count, scores: scores)
        return kernels.keepScores(scores, positions, count: count, keep: limit).count
    }
}
