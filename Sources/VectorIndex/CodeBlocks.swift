import Kernels

/// Residuals of vectors as 4-bit codes, list after list in blocks of 32: what the scan of a large index reads, a sixteenth of
/// the float32 rows.
struct CodeBlocks: Sendable {
    let quantizer: ProductQuantizer
    /// Whole blocks of `[m / 2][32]` bytes; every list begins a block.
    let codes: SharedBuffer<UInt8>
    /// `[lists]`: the first block of each list.
    let starts: [Int]

    var blockSize: Int { quantizer.subspaces / 2 * SearchLayout.codeRows }

    init(quantizer: ProductQuantizer, offsets: SharedBuffer<UInt64>, codes: SharedBuffer<UInt8>) {
        self.quantizer = quantizer
        self.codes = codes
        starts = ByteBlocks.starts(offsets, rows: SearchLayout.codeRows).starts
    }

    /// - Parameters:
    ///   - vectors: `[n, d]`, in list order.
    ///   - centroids: `[lists, d]`.
    ///   - offsets: `[lists + 1]`.
    ///   - known: codes that some of the vectors have already.
    init(
        encoding vectors: SharedBuffer<Float>, centroids: SharedBuffer<Float>, offsets: SharedBuffer<UInt64>,
        quantizer: ProductQuantizer, known: KnownCodes? = nil, threads: Threads
    ) {
        let (starts, blocks) = ByteBlocks.starts(offsets, rows: SearchLayout.codeRows)
        let blockSize = quantizer.subspaces / 2 * SearchLayout.codeRows
        let codes = Memory<UInt8>(blocks * blockSize, filledWith: 0)
        threads.forEach(0..<starts.count) {
            CodeEncoder(quantizer)
        } _: { encoder, list in
            let first = Int(offsets[list])
            for position in first..<Int(offsets[list + 1]) {
                let row = position - first
                let block = codes.base + (starts[list] + row / SearchLayout.codeRows) * blockSize
                if let known, let place = known.place(position) {
                    for pair in 0..<quantizer.subspaces / 2 {
                        block[pair * SearchLayout.codeRows + row % SearchLayout.codeRows] =
                            known.codes.codes[place + pair * SearchLayout.codeRows]
                    }
                    continue
                }
                encoder.encode(
                    vectors.address + position * quantizer.dimension,
                    less: centroids.address + list * quantizer.dimension)
                encoder.store(in: block, row: row % SearchLayout.codeRows)
            }
        }
        self.init(quantizer: quantizer, offsets: offsets, codes: codes.shared)
    }
}

/// The codes of another index with the same centroids and codewords, of which vectors are taken over.
struct KnownCodes {
    let codes: CodeBlocks
    /// `[lists + 1]` of that index.
    let offsets: SharedBuffer<UInt64>
    /// `[n]` of that index: the list of each row.
    let lists: [UInt32]
    /// `[n]` of the new index: the row in that index; nil for new vectors.
    let rows: [Int?]

    /// Where the first byte of a vector's codes lies.
    func place(_ position: Int) -> Int? {
        guard let row = rows[position] else { return nil }
        let list = Int(lists[row])
        let place = row - Int(offsets[list])
        return (codes.starts[list] + place / SearchLayout.codeRows) * codes.blockSize + place % SearchLayout.codeRows
    }
}

/// What one thread needs to encode vectors.
private struct CodeEncoder {
    private let quantizer: ProductQuantizer
    /// Sweeps of coordinate descent; hardly a code changes in a fourth.
    private let sweeps = 3
    /// `[m * width]`, zero beyond the dimension.
    private var residual: [Float]
    private var direction: [Float]
    private var codes: [UInt8]

    init(_ quantizer: ProductQuantizer) {
        self.quantizer = quantizer
        residual = [Float](repeating: 0, count: quantizer.padded)
        direction = residual
        codes = [UInt8](repeating: 0, count: quantizer.subspaces)
    }

    mutating func encode(_ vector: UnsafePointer<Float>, less centroid: UnsafePointer<Float>) {
        for k in 0..<quantizer.dimension { residual[k] = vector[k] - centroid[k] }
        direction.withUnsafeMutableBufferPointer { direction in
            if let base = direction.baseAddress { kernels.normalize(vector, base, count: quantizer.dimension) }
        }
        quantizer.codebook.withUnsafeBufferPointer { codebook in
            guard let codebook = codebook.baseAddress else { return }
            kernels.anisotropicCodes(
                residual: residual, direction: direction, codebook: codebook, m: quantizer.subspaces,
                width: quantizer.width, eta: quantizer.eta, sweeps: sweeps, codes: &codes)
        }
    }

    func store(in block: UnsafeMutablePointer<UInt8>, row: Int) {
        for pair in 0..<codes.count / 2 {
            block[pair * SearchLayout.codeRows + row] = codes[2 * pair] | codes[2 * pair + 1] << 4
        }
    }
}
