internal import CZstd

extension Zstandard {
    /// Decompresses whole frames straight into memory that takes all of them, a piece at a time, so that each piece can
    /// be worked on while the processor's cache still has it.
    ///
    /// Whoever makes it keeps both memories alive and leaves them alone until it is gone.
    public struct PieceDecompressor: ~Copyable {
        private let context: OpaquePointer
        private var input: ZSTD_inBuffer
        private var output: ZSTD_outBuffer
        private let inputSize: Int
        /// Compressed bytes that the next block takes: with just these, libzstd decodes them where they are.
        private var wanted: Int

        /// - Parameters:
        ///   - frames: whole frames, end to end.
        ///   - output: where they go; more than it takes is an error.
        public init(
            _ frames: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
        ) throws(CompressionError) {
            guard let context = ZSTD_createDCtx() else {
                throw CompressionError(code: .unavailable, message: "zstd: no memory for a decompressor")
            }
            // The promise that the output stays where it is: matches are copied from it, and there is no window.
            guard ZSTD_isError(ZSTD_DCtx_setParameter(context, Zstandard.stableOutput, 1)) == 0 else {
                ZSTD_freeDCtx(context)
                throw CompressionError(code: .unavailable, message: "zstd: this libzstd has no stable output buffers")
            }
            self.context = context
            input = ZSTD_inBuffer(src: frames.baseAddress, size: 0, pos: 0)
            self.output = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            inputSize = frames.count
            wanted = 1
        }

        deinit {
            ZSTD_freeDCtx(context)
        }

        /// Decompresses at least `count` bytes more, or all that is left.
        ///
        /// - Returns: where in the output they are; nil when nothing was left.
        public mutating func next(_ count: Int) throws(CompressionError) -> Range<Int>? {
            let start = output.pos
            while output.pos - start < count, input.pos < inputSize {
                input.size = min(inputSize, input.pos + max(wanted, 1))
                let before = (input.pos, output.pos)
                wanted = try check(ZSTD_decompressStream(context, &output, &input))
                guard (input.pos, output.pos) != before else { throw Zstandard.cutShort }
            }
            if input.pos == inputSize, wanted != 0, inputSize > 0 { throw Zstandard.cutShort }
            return output.pos > start ? start..<output.pos : nil
        }
    }

    /// `ZSTD_d_stableOutBuffer` by its number: libzstd names it only to those who link it statically.
    private static var stableOutput: ZSTD_dParameter { ZSTD_d_experimentalParam2 }

    private static var cutShort: CompressionError {
        CompressionError(code: .corrupt, message: "zstd: expected whole frames, found the beginning of one")
    }
}
