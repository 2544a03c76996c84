import CKernels

extension KernelSet {
    /// sum_i x[i] * y[i]; x, y `[count]`.
    public func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Float {
        table.pointee.dot(x, y, count)
    }

    /// The Euclidean length of x `[count]`.
    public func norm(_ x: UnsafePointer<Float>, count: Int) -> Float {
        dot(x, x, count: count).squareRoot()
    }

    public func sum(_ x: UnsafePointer<Float>, count: Int) -> Float {
        table.pointee.sum(x, count)
    }

    /// The largest element; -infinity when count is 0.
    public func maximum(_ x: UnsafePointer<Float>, count: Int) -> Float {
        table.pointee.maximum(x, count)
    }

    /// y += alpha * x; x, y `[count]`.
    public func axpy(_ alpha: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int) {
        table.pointee.axpy(alpha, x, y, count)
    }

    /// y = alpha * x; y may be x.
    public func scale(_ alpha: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int) {
        table.pointee.scale(alpha, x, y, count)
    }

    /// z = x * y, element by element; z may be x or y.
    public func multiply(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ z: UnsafeMutablePointer<Float>, count: Int
    ) {
        table.pointee.multiply(x, y, z, count)
    }

    /// z += x * y, element by element.
    public func multiplyAdd(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ z: UnsafeMutablePointer<Float>, count: Int
    ) {
        table.pointee.multiply_add(x, y, z, count)
    }

    /// y = f(x), element by element; y may be x.
    public func activate(
        _ activation: Activation, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int
    ) {
        table.pointee.activate(activation.rawValue, x, y, count)
    }

    /// dx = dy * f'(x), where f' is expressed by the output y = f(x); dx may be dy.
    public func activateGradient(
        _ activation: Activation, output y: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
        _ dx: UnsafeMutablePointer<Float>, count: Int
    ) {
        table.pointee.activate_gradient(activation.rawValue, y, dy, dx, count)
    }

    /// y = exp(x + offset), clamped to the finite range; y may be x.
    public func exponential(
        _ x: UnsafePointer<Float>, offset: Float = 0, _ y: UnsafeMutablePointer<Float>, count: Int
    ) {
        table.pointee.exponential(x, offset, y, count)
    }

    /// y = x / |x|, or zeros when x is zero; y may be x.
    ///
    /// - Returns: the factor applied, 1 / |x| or 0.
    @discardableResult
    public func normalize(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int) -> Float {
        let length = norm(x, count: count)
        let factor = length > 0 ? 1 / length : 0
        scale(factor, x, y, count: count)
        return factor
    }

    /// y = exp(x) / sum exp(x), computed after subtracting the maximum; y may be x.
    ///
    /// - Returns: log sum exp(x).
    @discardableResult
    public func softmax(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int) -> Float {
        guard count > 0 else { return -.infinity }
        let peak = maximum(x, count: count)
        exponential(x, offset: -peak, y, count: count)
        let total = sum(y, count: count)
        scale(1 / total, y, y, count: count)
        return peak + logarithm(total)
    }

    /// Asks for x `[count]` to be brought into the cache: for rows in random order, a few rows ahead of their use.
    public func prefetch(_ x: UnsafePointer<Float>, count: Int) {
        ck_prefetch(x, count)
    }

    /// The same for bytes.
    public func prefetch(_ x: UnsafePointer<UInt8>, count: Int) {
        UnsafeRawPointer(x).withMemoryRebound(to: Float.self, capacity: count / 4) { ck_prefetch($0, count / 4) }
    }

    /// Copies rows of a table `[tableRows, width]`; each is asked for ahead of its use.
    ///
    /// - Parameters:
    ///   - y: `[rows.count, width]`, rows `stride` floats apart.
    /// - Returns: how many were copied: fewer than asked for when the next one is not in the table.
    public func gather(
        _ table: UnsafePointer<Float>, tableRows: Int, width: Int, rows: UnsafeBufferPointer<UInt32>,
        to y: UnsafeMutablePointer<Float>, stride: Int
    ) -> Int {
        guard let base = rows.baseAddress else { return 0 }
        return ck_gather_rows(table, tableRows, width, base, rows.count, y, stride)
    }

    /// The positions i with `scores[i] >= threshold`, ascending, into `positions` `[count]`; NaN never passes.
    ///
    /// - Returns: how many were found.
    public func collect(
        _ scores: UnsafePointer<Float>, count: Int, threshold: Float, positions: UnsafeMutablePointer<UInt32>
    ) -> Int {
        table.pointee.collect(scores, count, threshold, positions)
    }
}
