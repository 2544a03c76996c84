import CKernels

/// How rows of compressed vectors lie in memory.
public enum SearchLayout {
    /// Rows of a block of bytes.
    public static let byteRows = Int(CK_BYTE_ROWS)
    /// Rows of a block of 4-bit codes.
    public static let codeRows = Int(CK_CODE_ROWS)
    /// What a 4-bit code can stand for.
    public static let codes = Int(CK_CODES)

    /// Bytes of a block of rows of `width` bytes: `[ceil(width / 4)][16][4]`.
    public static func byteBlock(width: Int) -> Int { (width + 3) / 4 * 4 * byteRows }

    /// Where in its block element `k` of row `row` lies, stored plus 128.
    public static func place(row: Int, element k: Int) -> Int { (k / 4 * byteRows + row) * 4 + k % 4 }
}

extension KernelSet {
    /// `scores[r] ~ query . row r`, rows of bytes in blocks of 16; -infinity for rows that do not count.
    ///
    /// - Parameters:
    ///   - blocks: whole blocks, see ``SearchLayout``.
    ///   - scales: `[count]`: what one unit of a row stands for.
    ///   - scores: room for whole blocks.
    /// - Complexity: O(count * width), no allocation. The same on every processor to the last bit.
    public func scoreBlocks(
        _ query: ByteQuery, blocks: UnsafePointer<UInt8>, scales: UnsafePointer<Float>, count: Int,
        counting: RowMask = .all, scores: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: query.form) {
            search.pointee.score_blocks($0, blocks, scales, count, counting.form, scores)
        }
    }

    /// The same for rows at `positions` `[count]` of a row-major matrix of bytes in -127...127.
    public func scoreByteRows(
        _ query: ByteQuery, matrix: UnsafePointer<Int8>, scales: UnsafePointer<Float>, width: Int,
        positions: UnsafePointer<UInt32>, count: Int, scores: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: query.form) {
            search.pointee.score_byte_rows($0, matrix, scales, width, positions, count, scores)
        }
    }

    /// Scores rows at `positions` `[count]`: equal to `scan` of those rows to the last bit.
    public func scoreRows(
        query: UnsafePointer<Float>, matrix: UnsafePointer<Float>, width: Int, positions: UnsafePointer<UInt32>,
        count: Int, scores: UnsafeMutablePointer<Float>
    ) {
        search.pointee.score_rows(query, matrix, width, positions, count, scores)
    }

    /// Appends the sum + bias and the position of every row whose table entries add up to `bar` or more with the bias.
    ///
    /// - Parameters:
    ///   - blocks: blocks of 32 rows, `[m / 2][32]` bytes, code 2i in the low half of byte i, 2i + 1 in the high.
    ///   - tables: of ``codeTables(_:codebook:m:width:tables:work:)``; m a multiple of 4, at most 450.
    ///   - position: of row 0.
    ///   - sums, positions: room for `count`.
    /// - Returns: how many were appended.
    /// - Complexity: O(count * m), no allocation.
    public func scanCodes(
        _ blocks: UnsafePointer<UInt8>, tables: UnsafePointer<UInt8>, m: Int, count: Int, counting: RowMask,
        bias: Int, bar: Int, position: Int, sums: UnsafeMutablePointer<UInt16>,
        positions: UnsafeMutablePointer<UInt32>
    ) -> Int {
        search.pointee.scan_codes(
            blocks, tables, m, count, counting.form, Int32(bias), Int32(bar), UInt32(position), sums, positions)
    }

    /// A query's products with every codeword, less the least of their table, in units of 1 / factor, at most 63.
    ///
    /// - Parameters:
    ///   - query: `[m * width]`.
    ///   - codebook: `[m, width, 16]`.
    ///   - tables: `[32 * m]`, overwritten, in the order that the kernels read.
    ///   - work: `[16 * m]`.
    /// - Returns: the factor; 0 when the tables say nothing.
    public func codeTables(
        _ query: UnsafePointer<Float>, codebook: UnsafePointer<Float>, m: Int, width: Int,
        tables: UnsafeMutablePointer<UInt8>, work: UnsafeMutablePointer<Float>
    ) -> Float {
        ck_code_tables(query, codebook, m, width, tables, work)
    }

    /// The nearest of 16 codewords `[width, 16]` of each point `[count, width]`; the first of equally near ones.
    public func nearestCodes(
        _ points: UnsafePointer<Float>, codewords: UnsafePointer<Float>, count: Int, width: Int,
        codes: UnsafeMutablePointer<UInt8>
    ) {
        ck_nearest_codes(points, codewords, count, width, codes)
    }

    /// Codes `[m]` of a residual `[m * width]` that keep its vector's inner products rather than its place: least
    /// |e|^2 + (eta - 1) (e . direction)^2 by coordinate descent (Guo et al. 2020).
    public func anisotropicCodes(
        residual: UnsafePointer<Float>, direction: UnsafePointer<Float>, codebook: UnsafePointer<Float>, m: Int,
        width: Int, eta: Float, sweeps: Int, codes: UnsafeMutablePointer<UInt8>
    ) {
        ck_anisotropic_codes(residual, direction, codebook, m, width, eta, Int32(sweeps), codes)
    }

    /// Keeps the `keep` greatest sums, of equal ones the first, in their order, with their positions.
    ///
    /// - Parameters:
    ///   - low: none of the sums is below.
    ///   - histogram: `[65,536]`, used in part.
    /// - Precondition: 0 < keep < count.
    /// - Returns: the least sum kept.
    /// - Complexity: O(count + greatest - low), no allocation.
    public func keepSums(
        _ sums: UnsafeMutablePointer<UInt16>, _ positions: UnsafeMutablePointer<UInt32>, count: Int, keep: Int,
        low: Int, histogram: UnsafeMutablePointer<UInt32>
    ) -> Int {
        Int(ck_keep_sums(sums, positions, count, keep, UInt16(low), histogram))
    }

    /// Keeps the scores that reach a bar which at least `keep` of them reach and, unless they lie very unevenly, hardly more;
    /// in their order, with their positions.
    ///
    /// - Precondition: 0 < keep <= count; the scores are finite.
    /// - Returns: how many, and the bar.
    /// - Complexity: O(count), no allocation.
    public func keepScores(
        _ scores: UnsafeMutablePointer<Float>, _ positions: UnsafeMutablePointer<UInt32>, count: Int, keep: Int
    ) -> (count: Int, bar: Float) {
        let bar = ck_bar(scores, count, keep)
        return (ck_keep_scores(scores, positions, count, bar), bar)
    }

    /// `columns[j]` = the greatest of `scores[i * width + j]`: the k-th greatest of the columns is a bar that at least k
    /// scores reach.
    public func foldMaximum(
        _ scores: UnsafePointer<Float>, count: Int, width: Int, columns: UnsafeMutablePointer<Float>
    ) {
        ck_fold_maximum(scores, count, width, columns)
    }
}
