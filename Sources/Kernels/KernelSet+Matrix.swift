import CKernels

/// A matrix operand: `rows x columns` floats of which element (i, j) lies at `base[i * rowStride + j * columnStride]`.
/// Does not keep the memory: whoever makes one sees to it that the elements outlive the product.
public struct MatrixOperand {
    private(set) var base: UnsafePointer<Float>
    public private(set) var rows: Int
    public private(set) var columns: Int
    private(set) var rowStride: Int
    private(set) var columnStride: Int

    /// A row-major matrix whose rows are `stride` floats apart (`columns` when nil).
    ///
    /// - Parameter elements: a buffer and no bare pointer: an array passes for a pointer, but only to the end of the call
    ///   it is passed to, which is this initialiser; a buffer of an array has to be asked for, with the scope it is valid in.
    public init(_ elements: UnsafeBufferPointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        let stride = stride ?? columns
        precondition(rows >= 0 && columns >= 0 && stride >= columns, "[\(rows), \(columns)] in rows of \(stride)")
        precondition(
            rows == 0 || columns == 0 || (rows - 1) * stride + columns <= elements.count,
            "[\(rows), \(columns)] in rows of \(stride) needs more than \(elements.count) elements")
        base = elements.baseAddress ?? noFloats
        self.rows = rows
        self.columns = columns
        rowStride = stride
        columnStride = 1
    }

    /// The same memory read as the transposed matrix.
    public var transposed: MatrixOperand {
        var result = self
        (result.rows, result.columns) = (columns, rows)
        (result.rowStride, result.columnStride) = (columnStride, rowStride)
        return result
    }

    /// Rows in `range`.
    func slice(_ range: Range<Int>) -> MatrixOperand {
        var result = self
        result.base += range.lowerBound * rowStride
        result.rows = range.count
        return result
    }
}

/// The right operand of many products, packed once in the order in which the kernel reads it.
// Sendable: written in init, only read afterwards.
public final class PackedMatrix: @unchecked Sendable {
    /// Rows of the matrix: inputs of a layer.
    public let rows: Int
    /// Columns of the matrix: outputs of a layer.
    public let columns: Int
    let panels: UnsafeMutablePointer<Float>

    /// - Complexity: O(rows * columns), one allocation of about the matrix's size.
    public init(_ matrix: MatrixOperand) {
        rows = matrix.rows
        columns = matrix.columns
        panels = .allocateLines(capacity: ck_packed_size(rows, columns))
        ck_pack(matrix.base, matrix.rowStride, matrix.columnStride, rows, columns, panels)
    }

    /// Memory of its own with the same values.
    init(copying other: PackedMatrix) {
        rows = other.rows
        columns = other.columns
        let size = ck_packed_size(rows, columns)
        panels = .allocateLines(capacity: size)
        panels.update(from: other.panels, count: size)
    }

    deinit {
        panels.deallocate()
    }
}

extension KernelSet {
    /// `c = activation(a * b + bias)`, or `c = activation(c + a * b)` with `accumulate`, with packed weights: the forward
    /// step of a dense layer in serving.
    ///
    /// - Parameters:
    ///   - a: `[n, k]`; b: `[k, m]`, or its rows from `firstRow` on when a has fewer columns; bias: `[m]` or nil.
    ///   - c: `[n, m]`, rows `stride` floats apart (m when nil), overwritten.
    /// - Complexity: O(n * k * m), no allocation. Each row of c depends on its row of a only, not on n.
    public func multiply(
        _ a: MatrixOperand, _ b: PackedMatrix, firstRow: Int = 0, bias: UnsafePointer<Float>? = nil,
        activation: Activation = .identity, accumulate: Bool = false, into c: UnsafeMutablePointer<Float>,
        stride: Int? = nil
    ) {
        precondition(
            firstRow >= 0 && firstRow + a.columns <= b.rows,
            "rows \(firstRow)..<\(firstRow + a.columns) of a matrix of \(b.rows)")
        let width = b.columns == 1 ? 1 : Int(CK_PANEL)
        table.pointee.gemm_packed(
            a.base, a.rowStride, a.columnStride, b.panels + firstRow * width, b.rows, bias, activation.rawValue,
            accumulate ? 1 : 0, c, stride ?? b.columns, a.rows, a.columns, b.columns)
    }

    /// `c = activation(a * b + bias)`, or `c = activation(c + a * b)` with `accumulate`; either operand may be transposed.
    ///
    /// b is packed block by block into 256 KiB of scratch, which each calling thread takes for the call. The rows of c
    /// are divided over `threads`; the result does not depend on how many there are.
    /// - Parameters:
    ///   - a: `[n, k]`; b: `[k, m]`; bias: `[m]` or nil, not used with `accumulate`.
    ///   - c: `[n, m]`, row-major.
    /// - Complexity: O(n * k * m).
    public func multiply(
        _ a: MatrixOperand, _ b: MatrixOperand, bias: UnsafePointer<Float>? = nil, activation: Activation = .identity,
        accumulate: Bool = false, into c: UnsafeMutablePointer<Float>, threads: Threads = .one
    ) {
        precondition(a.columns == b.rows, "inner sizes of a matrix product differ: \(a.columns) and \(b.rows)")
        // Below about a million multiply-adds a second thread costs more than it brings.
        let grain = max(6, 1_000_000 / max(1, a.columns * b.columns))
        threads.divide(a.rows, grain: grain) { range in
            let part = a.slice(range)
            withUnsafeTemporaryAllocation(of: Float.self, capacity: Int(CK_BLOCK_K * CK_BLOCK_M)) { scratch in
                guard let scratch = scratch.baseAddress else { return }
                ck_gemm(
                    table, part.base, part.rowStride, part.columnStride, b.base, b.rowStride, b.columnStride, bias,
                    activation.rawValue, accumulate ? 1 : 0, c + range.lowerBound * b.columns, b.columns, part.rows,
                    a.columns, b.columns, scratch)
            }
        }
    }
}
