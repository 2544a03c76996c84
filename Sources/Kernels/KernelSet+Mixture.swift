import CKernels

extension KernelSet {
    /// Mixes the outputs of experts by the softmax of gates, for several tasks: `mixed[t, i] = sum_e softmax(g_it)_e v_ie`.
    ///
    /// - Parameters:
    ///   - values: v, `[rows, experts, width]`.
    ///   - gates: Logits g, `[rows, tasks, experts]`; overwritten.
    ///   - mixed: `[tasks, rows, width]`, overwritten.
    /// - Complexity: O(rows * tasks * experts * width), no allocation.
    public func mix(
        _ values: UnsafePointer<Float>, gates: UnsafeMutablePointer<Float>, rows: Int, tasks: Int, experts: Int,
        width: Int, into mixed: UnsafeMutablePointer<Float>
    ) {
        precondition(rows >= 0 && tasks > 0 && experts > 0 && width >= 0, "a mixture has tasks and experts")
        ck_exponential_groups(table, gates, rows * tasks, experts)
        table.pointee.mix(values, gates, rows, tasks, experts, width, mixed)
    }
}

/// Packed weights that depend on a row: `start + diag(x) product`, made anew for each x in memory of their own.
public final class ScaledMatrix {
    private let start: PackedMatrix
    private let product: PackedMatrix
    /// Takes part in products; changes with `scale`.
    public let matrix: PackedMatrix

    /// - Parameters:
    ///   - start: `[d + e, m]`; product: the same shape, of which the last e rows are never read.
    public init(start: PackedMatrix, product: PackedMatrix) {
        precondition(
            start.rows == product.rows && start.columns == product.columns,
            "[\(start.rows), \(start.columns)] and [\(product.rows), \(product.columns)] are not of one shape")
        self.start = start
        self.product = product
        matrix = PackedMatrix(copying: start)
    }

    /// Scales the first `count` rows by x `[count]`; the others stay those of `start`.
    ///
    /// - Complexity: O(count * m).
    public func scale(by x: UnsafePointer<Float>, count: Int, with kernels: KernelSet = .active) {
        precondition(count <= start.rows, "\(count) factors for \(start.rows) rows")
        guard start.columns > 1 else {
            matrix.panels.update(from: start.panels, count: count)
            kernels.multiplyAdd(x, product.panels, matrix.panels, count: count)
            return
        }
        let panels = (start.columns + Int(CK_PANEL) - 1) / Int(CK_PANEL)
        kernels.table.pointee.scale_panels(
            x, product.panels, start.panels, count, start.rows, panels, matrix.panels)
    }
}
