internal import CZstd

/// The Zstandard format (RFC 8878), by libzstd.
public enum Zstandard {
    /// Compresses a whole message as one frame that states its content size.
    ///
    /// - Parameters:
    ///   - level: 1 (fast) ... 19 (small); negative levels are faster still.
    ///   - checksum: adds four bytes by which decompression finds damage.
    /// - Complexity: O(n); memory for the worst case of the output.
    public static func compress(
        _ bytes: UnsafeRawBufferPointer, level: Int = 3, checksum: Bool = false
    ) throws(CompressionError) -> [UInt8] {
        var compressor = try Compressor(level: level, checksum: checksum, contentSize: bytes.count)
        return try compressor.compressAll(bytes, bound: ZSTD_compressBound(bytes.count))
    }

    /// Decompresses a whole message of one or more frames, of at most `limit` bytes of output.
    public static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        var decompressor = try Decompressor()
        return try decompressor.decompressAll(bytes, limit: limit, expected: contentSize(of: bytes))
    }

    public static func compress(
        _ bytes: [UInt8], level: Int = 3, checksum: Bool = false
    ) throws(CompressionError) -> [UInt8] {
        try bytes.span.withUnsafeBytes { (raw) throws(CompressionError) in
            try compress(raw, level: level, checksum: checksum)
        }
    }

    public static func decompress(_ bytes: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        try bytes.span.withUnsafeBytes { (raw) throws(CompressionError) in try decompress(raw, limit: limit) }
    }

    /// The size that the first frame's header promises, if it does. It comes from the peer: bound it before use.
    public static func contentSize(of bytes: UnsafeRawBufferPointer) -> Int? {
        // The two largest values mean "unknown" and "not a frame".
        let size = ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
        return size < UInt64(Int.max) ? Int(size) : nil
    }

    /// Compressed bytes of the frame that `bytes` begin with, or nil while the frame is not whole.
    ///
    /// - Complexity: O(blocks in the frame); nothing is decompressed.
    public static func frameSize(of bytes: UnsafeRawBufferPointer) throws(CompressionError) -> Int? {
        let size = ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
        if ZSTD_isError(size) != 0, ZSTD_getErrorCode(size) == ZSTD_error_srcSize_wrong { return nil }
        return try check(size)
    }

    static func check(_ result: Int) throws(CompressionError) -> Int {
        guard ZSTD_isError(result) != 0 else { return result }
        let message = "zstd: " + String(cString: ZSTD_getErrorName(result))
        switch ZSTD_getErrorCode(result) {
        case ZSTD_error_memory_allocation, ZSTD_error_parameter_outOfBound, ZSTD_error_parameter_unsupported:
            throw CompressionError(code: .unavailable, message: message)
        case ZSTD_error_frameParameter_windowTooLarge:
            throw CompressionError(code: .limitExceeded, message: message)
        default:
            throw CompressionError(code: .corrupt, message: message)
        }
    }
}
