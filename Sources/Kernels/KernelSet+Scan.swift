import CKernels

extension KernelSet {
    /// Scores n rows for one query: `scores[i] = sum_j query[j] * rows[i * stride + j]`.
    ///
    /// A row's score depends only on the row and the query, never on its place or on `count`: shards agree with the
    /// whole to the last bit.
    /// - Parameters:
    ///   - query: `[width]`.
    ///   - rows: `[count, width]`, rows `stride` floats apart (`width` when nil).
    ///   - scores: `[count]`, overwritten.
    /// - Complexity: O(count * width), no allocation; bound by memory bandwidth beyond the caches.
    public func scan(
        query: UnsafePointer<Float>, rows: UnsafePointer<Float>, count: Int, width: Int, stride: Int? = nil,
        scores: UnsafeMutablePointer<Float>
    ) {
        table.pointee.scan(query, rows, stride ?? width, count, width, scores)
    }

    /// Scores n rows for a few queries at once; each row is read once for four of them.
    ///
    /// - Parameters:
    ///   - queries: `[queryCount, width]`.
    ///   - rows: `[count, width]`.
    ///   - scores: `[queryCount, count]`, overwritten; equal to `scan` of each query to the last bit.
    public func scan(
        queries: UnsafePointer<Float>, queryCount: Int, rows: UnsafePointer<Float>, count: Int, width: Int,
        scores: UnsafeMutablePointer<Float>
    ) {
        table.pointee.scan_many(queries, queryCount, rows, count, width, scores)
    }

    /// Scores n byte rows for one byte query, exactly; every value in -127...127.
    ///
    /// - Parameters:
    ///   - query: `[width]`.
    ///   - rows: `[count, width]`.
    ///   - scores: `[count]`, overwritten.
    public func scan(
        query: UnsafePointer<Int8>, rows: UnsafePointer<Int8>, count: Int, width: Int,
        scores: UnsafeMutablePointer<Int32>
    ) {
        table.pointee.scan_int8(query, rows, count, width, scores)
    }

    /// Rounds a row to bytes in -127...127 of one scale, `row[i] ~ scale * bytes[i]`.
    ///
    /// - Returns: the scale, max |row| / 127; 0 for a zero row.
    public func quantize(
        _ row: UnsafePointer<Float>, count: Int, bytes: UnsafeMutablePointer<Int8>
    ) -> Float {
        var peak: Float = 0
        for index in 0..<count { peak = max(peak, abs(row[index])) }
        let factor = peak > 0 ? 127 / peak : 0
        for index in 0..<count {
            let rounded = (row[index] * factor).rounded(.toNearestOrEven)
            bytes[index] = Int8(max(-127, min(127, rounded)))
        }
        return peak / 127
    }
}
