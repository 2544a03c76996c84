internal import CZstd

extension Zstandard {
    /// Compresses chunks into one frame after another. Owns one `ZSTD_CCtx`.
    public struct Compressor: StreamCompressor, ~Copyable {
        private let context: OpaquePointer

        /// - Parameters:
        ///   - level: 1 (fast) ... 19 (small); out of range is an error.
        ///   - checksum: adds four bytes per frame by which decompression finds damage.
        ///   - contentSize: bytes the first frame will hold, when known: stated in its header, and held to.
        public init(level: Int = 3, checksum: Bool = false, contentSize: Int? = nil) throws(CompressionError) {
            let range = Int(ZSTD_minCLevel())...Int(ZSTD_maxCLevel())
            guard range.contains(level) else {
                throw CompressionError(
                    code: .unavailable,
                    message: "zstd: level \(level) is outside \(range.lowerBound)...\(range.upperBound)")
            }
            guard let context = ZSTD_createCCtx() else {
                throw CompressionError(code: .unavailable, message: "zstd: no memory for a compressor")
            }
            self.context = context
            // Both parameters are in range by now, so that setting them cannot fail.
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
            ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0)
            if let contentSize { ZSTD_CCtx_setPledgedSrcSize(context, UInt64(contentSize)) }
        }

        deinit {
            ZSTD_freeCCtx(context)
        }

        public mutating func step(
            _ input: UnsafeRawBufferPointer, end: Bool, into output: UnsafeMutableRawBufferPointer
        ) throws(CompressionError) -> StreamProgress {
            var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
            var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            let left = try Zstandard.check(
                ZSTD_compressStream2(context, &target, &source, end ? ZSTD_e_end : ZSTD_e_continue))
            return StreamProgress(
                consumed: source.pos, produced: target.pos, isFinished: end && left == 0 && source.pos == input.count)
        }

        public mutating func reset() throws(CompressionError) {
            _ = try Zstandard.check(ZSTD_CCtx_reset(context, ZSTD_reset_session_only))
        }
    }

    /// Decompresses chunks of one or more frames. Owns one `ZSTD_DCtx`.
    public struct Decompressor: StreamDecompressor, ~Copyable {
        /// A frame's window is memory that the sender chooses: 128 MiB is what `zstd -19 --long=27` needs.
        public static var defaultWindowLogMax: Int { 27 }

        private let context: OpaquePointer
        public private(set) var isBetweenFrames = true

        /// - Parameter windowLogMax: base-2 logarithm of the largest window a frame may ask for, in bytes.
        public init(windowLogMax: Int = defaultWindowLogMax) throws(CompressionError) {
            guard let context = ZSTD_createDCtx() else {
                throw CompressionError(code: .unavailable, message: "zstd: no memory for a decompressor")
            }
            self.context = context
            let bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax)
            let windowLog = min(max(Int32(clamping: windowLogMax), bounds.lowerBound), bounds.upperBound)
            ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLog)
        }

        deinit {
            ZSTD_freeDCtx(context)
        }

        public mutating func step(
            _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
        ) throws(CompressionError) -> StreamProgress {
            var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
            var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            if isBetweenFrames && input.isEmpty {
                return StreamProgress(consumed: 0, produced: 0, isFinished: true)
            }
            let hint = try Zstandard.check(ZSTD_decompressStream(context, &target, &source))
            isBetweenFrames = hint == 0
            return StreamProgress(consumed: source.pos, produced: target.pos, isFinished: isBetweenFrames)
        }

        public mutating func reset() throws(CompressionError) {
            _ = try Zstandard.check(ZSTD_DCtx_reset(context, ZSTD_reset_session_only))
            isBetweenFrames = true
        }

        public static var formatName: String { "zstd" }
    }
}
