extension KernelSet {
    /// Replaces a symmetric positive definite matrix by its inverse: Gauss-Jordan elimination by blocks, without pivots,
    /// which positive definiteness makes needless. Diagonal blocks are inverted in double precision.
    ///
    /// - Parameters:
    ///   - matrix: `[n, n]`, row-major, overwritten.
    ///   - progress: called after each block of rows with the share done, 0...1.
    /// - Returns: false when a pivot is not positive: the matrix is not positive definite, and has been spoilt.
    /// - Complexity: O(n^3) multiply-adds; memory for two panels of 128 rows.
    public func invertPositiveDefinite(
        _ matrix: UnsafeMutableBufferPointer<Float>, count n: Int, threads: Threads = .one,
        progress: ((Double) -> Void)? = nil
    ) -> Bool {
        precondition(matrix.count == n * n, "\(matrix.count) elements are no square of \(n) rows")
        guard let a = matrix.baseAddress else { return true }
        let block = 128
        let column = UnsafeMutablePointer<Float>.allocate(capacity: n * block)
        let row = UnsafeMutablePointer<Float>.allocate(capacity: n * block)
        defer {
            column.deallocate()
            row.deallocate()
        }
        for start in stride(from: 0, to: n, by: block) {
            let size = min(block, n - start)
            guard let pivot = inverseOfDiagonal(a, n: n, start: start, size: size) else { return false }
            // C = -A_ik for all other rows i, zeros for the pivot's own.
            for i in 0..<n {
                let isPivot = i >= start && i < start + size
                let source = a + i * n + start
                for j in 0..<size { column[i * size + j] = isPivot ? 0 : -source[j] }
            }
            eliminate(a, n: n, start: start, size: size, pivot: pivot, column: column, row: row, threads: threads)
            progress?(Double(start + size) / Double(n))
        }
        return true
    }

    /// With D the pivot's inverse: A_kj = D A_kj, A_ij += C_i A_kj, A_ik = C_i D, A_kk = D.
    private func eliminate(
        _ a: UnsafeMutablePointer<Float>, n: Int, start: Int, size: Int, pivot: [Float],
        column: UnsafeMutablePointer<Float>, row: UnsafeMutablePointer<Float>, threads: Threads
    ) {
        pivot.withUnsafeBufferPointer { pivot in
            let d = MatrixOperand(pivot, rows: size, columns: size)
            let c = MatrixOperand(UnsafeBufferPointer(start: column, count: n * size), rows: n, columns: size)
            let own = MatrixOperand(
                UnsafeBufferPointer(start: a + start * n, count: size * n), rows: size, columns: n)
            multiply(d, own, into: row, threads: threads)
            for j in 0..<size {
                (row + j * n + start).update(repeating: 0, count: size)
                (a + (start + j) * n).update(from: row + j * n, count: n)
            }
            let scaled = MatrixOperand(UnsafeBufferPointer(start: row, count: size * n), rows: size, columns: n)
            multiply(c, scaled, accumulate: true, into: a, threads: threads)
            // The pivot's columns, which the product above left alone.
            multiply(c, d, into: row, threads: threads)
            for i in 0..<n {
                let isPivot = i >= start && i < start + size
                let source = isPivot ? pivot.baseAddress.map { $0 + (i - start) * size } : UnsafePointer(row + i * size)
                if let source { (a + i * n + start).update(from: source, count: size) }
            }
        }
    }

    /// The inverse of a diagonal block, `[size, size]`; nil when it is not positive definite.
    private func inverseOfDiagonal(_ a: UnsafePointer<Float>, n: Int, start: Int, size: Int) -> [Float]? {
        var m = [Double](repeating: 0, count: size * size)
        for i in 0..<size {
            for j in 0..<size { m[i * size + j] = Double(a[(start + i) * n + start + j]) }
        }
        for k in 0..<size {
            let pivot = m[k * size + k]
            guard pivot > 0, pivot.isFinite else { return nil }
            for j in 0..<size where j != k { m[k * size + j] /= pivot }
            for i in 0..<size where i != k {
                let factor = m[i * size + k]
                for j in 0..<size where j != k { m[i * size + j] -= factor * m[k * size + j] }
                m[i * size + k] = -factor / pivot
            }
            m[k * size + k] = 1 / pivot
        }
        return m.map { Float($0) }
    }
}
