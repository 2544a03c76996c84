import CKernels

/// The weights of a dense layer in one byte each, packed once in the order in which the kernel reads them.
///
/// Column j stands for a factor of its own times whole numbers in -63...63; a column's factor comes from its greatest
/// magnitude. Seven bits and not eight, so that sums of four products by a byte in 0...127 fit 16 bits: that is what makes
/// processors without instructions for the purpose fast. All kernels add the same whole numbers.
// Sendable: written in init, only read afterwards.
public final class QuantizedMatrix: @unchecked Sendable {
    /// Rows of the matrix: inputs of a layer.
    public let rows: Int
    /// Columns of the matrix: outputs of a layer.
    public let columns: Int
    private let panels: UnsafeMutablePointer<Int8>
    private let scales: UnsafeMutablePointer<Float>

    /// - Complexity: O(rows * columns); a quarter of the matrix's memory.
    public init(_ matrix: MatrixOperand) {
        rows = matrix.rows
        columns = matrix.columns
        panels = .allocateLines(capacity: ck_packed_int8_size(rows, columns))
        scales = .allocateLines(capacity: 2 * columns)
        ck_pack_int8(
            matrix.base, matrix.rowStride, matrix.columnStride, rows, columns, panels, scales, scales + columns)
    }

    deinit {
        panels.deallocate()
        scales.deallocate()
    }

    var view: ck_int8_matrix {
        ck_int8_matrix(panels: panels, scale: scales, sum: scales + columns, k: rows, m: columns)
    }
}

/// Memory for quantised rows: bytes in 0...127, row i standing for `scale * byte + offset` with its own two numbers.
public final class QuantizedRows {
    public let rowsMax: Int
    public let columnsMax: Int
    /// What was quantised last.
    public private(set) var rows = 0
    public private(set) var columns = 0
    private let bytes: UnsafeMutablePointer<UInt8>
    private let scales: UnsafeMutablePointer<Float>

    public init(rowsMax: Int, columnsMax: Int) {
        precondition(rowsMax >= 0 && columnsMax >= 0, "[\(rowsMax), \(columnsMax)]")
        self.rowsMax = rowsMax
        self.columnsMax = columnsMax
        bytes = .allocateLines(capacity: rowsMax * ck_int8_depth(columnsMax))
        scales = .allocateLines(capacity: 2 * rowsMax)
    }

    deinit {
        bytes.deallocate()
        scales.deallocate()
    }

    /// Takes rows `[rows, columns]` that lie `stride` floats apart; a row's least value becomes 0, its greatest 127.
    ///
    /// - Complexity: O(rows * columns).
    public func assign(
        _ x: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int, by kernels: KernelSet = .active
    ) {
        precondition(
            rows <= rowsMax && columns <= columnsMax && stride >= columns,
            "[\(rows), \(columns)] in rows of \(stride) does not fit [\(rowsMax), \(columnsMax)]")
        (self.rows, self.columns) = (rows, columns)
        kernels.table.pointee.quantize(
            x, stride, rows, columns, bytes, ck_int8_depth(columns), scales, scales + rowsMax)
    }

    /// The values that a row's bytes stand for.
    public func values(ofRow row: Int) -> [Float] {
        precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
        let start = bytes + row * ck_int8_depth(columns)
        return (0..<columns).map { scales[row] * Float(start[$0]) + scales[rowsMax + row] }
    }

    var view: ck_int8_rows {
        ck_int8_rows(
            values: bytes, row: ck_int8_depth(columns), scale: scales, offset: scales + rowsMax, n: rows)
    }
}

extension KernelSet {
    /// `c = activation(a * b + bias)`, or `c = activation(c + a * b)` with `accumulate`, of quantised rows and weights.
    ///
    /// - Parameters:
    ///   - a: `[n, k]`; b: `[k, m]`; bias: `[m]` or nil.
    ///   - c: `[n, m]`, rows `stride` floats apart (m when nil), overwritten.
    /// - Complexity: O(n * k * m), no allocation.
    public func multiply(
        _ a: QuantizedRows, _ b: QuantizedMatrix, bias: UnsafePointer<Float>? = nil, activation: Activation = .identity,
        accumulate: Bool = false, into c: UnsafeMutablePointer<Float>, stride: Int? = nil
    ) {
        precondition(a.columns == b.rows, "inner sizes of a matrix product differ: \(a.columns) and \(b.rows)")
        withUnsafePointer(to: a.view) { rows in
            withUnsafePointer(to: b.view) { matrix in
                table.pointee.gemm_int8(
                    rows, matrix, bias, activation.rawValue, accumulate ? 1 : 0, c, stride ?? b.columns)
            }
        }
    }
}
