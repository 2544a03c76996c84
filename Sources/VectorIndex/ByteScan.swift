import Kernels

/// Scans lists of bytes. The candidates kept lie in `scratch.keptScores` and `scratch.positions`.
struct ByteScan: ListScan {
    private(set) var offered = 0
    private(set) var excluded = 0
    private let index: VectorIndex
    private let lists: InvertedLists
    private let blocks: ByteBlocks
    private let bytes: UnsafePointer<UInt8>
    private let scales: UnsafePointer<Float>
    private let filter: UnsafePointer<UInt64>?
    private let scratch: SearchScratch
    /// Of one block of vectors, and which of them reach the bar.
    private let scores: UnsafeMutablePointer<Float>
    private let reached: UnsafeMutablePointer<UInt32>
    private let keptScores: UnsafeMutablePointer<Float>
    private let positions: UnsafeMutablePointer<UInt32>
    /// Candidates that a selection leaves.
    private let keep: Int
    private var kept = 0
    private var bar = -Float.greatestFiniteMagnitude

    init(
        _ index: VectorIndex, _ lists: InvertedLists, _ blocks: ByteBlocks, _ goal: SearchGoal,
        _ scratch: SearchScratch
    ) {
        self.index = index
        self.lists = lists
        self.blocks = blocks
        self.scratch = scratch
        bytes = blocks.bytes.address
        scales = blocks.scales.address
        filter = goal.filter?.bits.address
        keep = index.report.reranked(for: goal.wanted)
        scores = scratch.scores.room(SearchScratch.block)
        // The kernel that fills it may write 8 entries too many.
        reached = scratch.nearPositions.room(max(lists.count, SearchScratch.block) + 8)
        keptScores = scratch.keptScores.room(2 * keep + SearchScratch.block)
        positions = scratch.positions.room(2 * keep + SearchScratch.block)
    }

    func ask(for list: Int) {
        kernels.prefetch(bytes + blocks.starts[list] * blocks.blockSize, count: 1024)
    }

    mutating func scan(_ list: Int, score: Float, excluding keys: borrowing KeySet) {
        let range = lists.range(list)
        let base = bytes + blocks.starts[list] * blocks.blockSize
        for start in stride(from: range.lowerBound, to: range.upperBound, by: SearchScratch.block) {
            let size = min(SearchScratch.block, range.upperBound - start)
            kernels.scoreBlocks(
                scratch.bytes, blocks: base + (start - range.lowerBound) / SearchLayout.byteRows * blocks.blockSize,
                scales: scales + start, count: size, counting: RowMask(bits: filter, first: start), scores: scores)
            let found = kernels.collect(scores, count: size, threshold: bar, positions: reached)
            take(found, from: start, excluding: keys)
            if kept >= 2 * keep { select() }
        }
    }

    private mutating func take(_ found: Int, from start: Int, excluding keys: borrowing KeySet) {
        for place in 0..<found {
            let row = start + Int(reached[place])
            if keys.count > 0, keys.contains(index.keys[row]) {
                excluded += 1
                continue
            }
            keptScores[kept] = scores[row - start]
            positions[kept] = UInt32(row)
            kept += 1
            offered += 1
        }
    }

    private mutating func select() {
        (kept, bar) = kernels.keepScores(keptScores, positions, count: kept, keep: keep)
        if kept > keep + keep / 2 { selectExactly() }
    }

    /// When scores lie so unevenly, or are so many alike, that a bar does not part them.
    private mutating func selectExactly() {
        let ranked = scratch.ranked.room(kept)
        for place in 0..<kept { ranked[place] = Ranked(score: keptScores[place], position: positions[place]) }
        Ranked.selectBest(ranked, count: kept, keep)
        kept = keep
        for place in 0..<kept {
            keptScores[place] = ranked[place].score
            positions[place] = ranked[place].position
        }
        bar = ranked[keep - 1].score
    }

    mutating func finish() -> Int {
        if kept > keep { select() }
        return kept
    }
}
