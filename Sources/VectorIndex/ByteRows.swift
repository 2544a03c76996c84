import Kernels

/// Vectors rounded to bytes row by row, each with a scale of its own: for a second look at single vectors.
struct ByteRows: Sendable {
    let width: Int
    /// `[n, width]`, in list order, -127...127.
    let bytes: SharedBuffer<Int8>
    /// `[n]`.
    let scales: SharedBuffer<Float>

    init(width: Int, bytes: SharedBuffer<Int8>, scales: SharedBuffer<Float>) {
        self.width = width
        self.bytes = bytes
        self.scales = scales
    }

    init(encoding vectors: SharedBuffer<Float>, width: Int, threads: Threads) {
        let count = vectors.count / max(width, 1)
        let bytes = Memory<Int8>(vectors.count, filledWith: 0)
        let scales = Memory<Float>(count, filledWith: 0)
        vectors.withUnsafeBufferPointer { vectors in
            guard let base = vectors.baseAddress else { return }
            threads.divide(count, grain: 1_000) { rows in
                for row in rows {
                    scales.base[row] = kernels.quantize(
                        base + row * width, count: width, bytes: bytes.base + row * width)
                }
            }
        }
        self.init(width: width, bytes: bytes.shared, scales: scales.shared)
    }
}
