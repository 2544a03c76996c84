import CKernels

/// Room for the right operand of products whose values come with each request: packed like `PackedMatrix`, again and
/// again, in memory taken once.
public final class PackedScratch {
    public let rowsMax: Int
    public let columnsMax: Int
    /// What was packed last.
    public private(set) var rows = 0
    public private(set) var columns = 0
    let panels: UnsafeMutablePointer<Float>

    public init(rowsMax: Int, columnsMax: Int) {
        precondition(rowsMax >= 0 && columnsMax >= 0, "[\(rowsMax), \(columnsMax)]")
        self.rowsMax = rowsMax
        self.columnsMax = columnsMax
        // A single column takes less than a panel.
        panels = .allocateLines(capacity: ck_packed_size(rowsMax, max(2, columnsMax)))
    }

    deinit {
        panels.deallocate()
    }

    /// Packs a matrix of at most `[rowsMax, columnsMax]`.
    ///
    /// - Complexity: O(rows * columns), no allocation.
    public func assign(_ matrix: MatrixOperand) {
        precondition(
            matrix.rows <= rowsMax && matrix.columns <= columnsMax,
            "[\(matrix.rows), \(matrix.columns)] does not fit [\(rowsMax), \(columnsMax)]")
        (rows, columns) = (matrix.rows, matrix.columns)
        ck_pack(matrix.base, matrix.rowStride, matrix.columnStride, rows, columns, panels)
    }
}

extension KernelSet {
    /// `c = activation(a * b + bias)` with b packed for this request.
    ///
    /// - Parameters:
    ///   - a: `[n, k]`; b: `[k, m]`; bias: `[m]` or nil.
    ///   - c: `[n, m]`, rows `stride` floats apart (m when nil), overwritten.
    /// - Complexity: O(n * k * m), no allocation.
    public func multiply(
        _ a: MatrixOperand, _ b: PackedScratch, bias: UnsafePointer<Float>? = nil, activation: Activation = .identity,
        into c: UnsafeMutablePointer<Float>, stride: Int? = nil
    ) {
        precondition(a.columns == b.rows, "inner sizes of a matrix product differ: \(a.columns) and \(b.rows)")
        table.pointee.gemm_packed(
            a.base, a.rowStride, a.columnStride, b.panels, b.rows, bias, activation.rawValue, 0, c, stride ?? b.columns,
            a.rows, a.columns, b.columns)
    }
}
