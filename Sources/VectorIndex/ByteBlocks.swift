import Kernels

/// Vectors rounded to bytes, each with a scale of its own, list after list in blocks of 16: what a scan reads, a quarter of
/// the float32 rows.
struct ByteBlocks: Sendable {
    let width: Int
    /// Whole blocks, see ``SearchLayout``; every list begins a block.
    let bytes: SharedBuffer<UInt8>
    /// `[n]`, in list order.
    let scales: SharedBuffer<Float>
    /// `[lists]`: the first block of each list.
    let starts: [Int]

    var blockSize: Int { SearchLayout.byteBlock(width: width) }

    /// Blocks of all lists, and where each list's begin.
    static func starts(_ offsets: SharedBuffer<UInt64>, rows: Int) -> (starts: [Int], blocks: Int) {
        var starts: [Int] = []
        starts.reserveCapacity(offsets.count)
        var blocks = 0
        for list in 0..<max(0, offsets.count - 1) {
            starts.append(blocks)
            blocks += (Int(offsets[list + 1] - offsets[list]) + rows - 1) / rows
        }
        return (starts, blocks)
    }

    init(width: Int, offsets: SharedBuffer<UInt64>, bytes: SharedBuffer<UInt8>, scales: SharedBuffer<Float>) {
        self.width = width
        self.bytes = bytes
        self.scales = scales
        starts = Self.starts(offsets, rows: SearchLayout.byteRows).starts
    }

    /// - Parameters:
    ///   - vectors: `[n, width]`, in list order.
    ///   - offsets: `[lists + 1]`.
    init(encoding vectors: SharedBuffer<Float>, width: Int, offsets: SharedBuffer<UInt64>, threads: Threads) {
        let (starts, blocks) = Self.starts(offsets, rows: SearchLayout.byteRows)
        let blockSize = SearchLayout.byteBlock(width: width)
        let bytes = Memory<UInt8>(blocks * blockSize, filledWith: 128)
        let scales = Memory<Float>(vectors.count / max(width, 1), filledWith: 0)
        vectors.withUnsafeBufferPointer { vectors in
            guard let base = vectors.baseAddress else { return }
            threads.forEach(0..<starts.count) {
                [Int8](repeating: 0, count: width)
            } _: { rounded, list in
                for position in Int(offsets[list])..<Int(offsets[list + 1]) {
                    scales.base[position] = kernels.quantize(
                        base + position * width, count: width, bytes: &rounded)
                    let row = position - Int(offsets[list])
                    let block = bytes.base + (starts[list] + row / SearchLayout.byteRows) * blockSize
                    for k in 0..<width {
                        block[SearchLayout.place(row: row % SearchLayout.byteRows, element: k)] =
                            UInt8(bitPattern: rounded[k]) ^ 128
                    }
                }
            }
        }
        self.init(width: width, offsets: offsets, bytes: bytes.shared, scales: scales.shared)
    }
}

/// Memory that several threads write to before it is shared.
// Sendable: every element is written by one thread, before `shared` is read.
final class Memory<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    private let count: Int

    init(_ count: Int, filledWith value: Element) {
        base = .allocate(capacity: max(1, count))
        base.initialize(repeating: value, count: count)
        self.count = count
    }

    deinit {
        base.deallocate()
    }

    /// The elements, without a copy; nothing may be written any more.
    var shared: SharedBuffer<Element> {
        SharedBuffer(owner: self, base: base, count: count)
    }
}
