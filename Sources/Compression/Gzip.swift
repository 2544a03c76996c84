internal import CZlib

/// The gzip format (RFC 1952), by zlib.
public enum Gzip {
    /// zlib adds 16 to the window's logarithm to mean "with a gzip header".
    private static let windowBits: Int32 = 15 + 16
    /// zlib's default memory level.
    private static let memoryLevel: Int32 = 8

    /// Compresses a whole message as one member.
    ///
    /// - Parameter level: 1 (fast) ... 9 (small).
    public static func compress(
        _ bytes: UnsafeRawBufferPointer, level: Int = 6
    ) throws(CompressionError) -> [UInt8] {
        var compressor = try Compressor(level: level)
        // 18 bytes of header and trailer beyond what zlib's own bound counts for its shorter wrapper.
        return try compressor.compressAll(bytes, bound: Int(compressBound(UInt(bytes.count))) + 18)
    }

    /// Decompresses a whole message of one or more members, of at most `limit` bytes of output.
    public static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        var decompressor = try Decompressor()
        return try decompressor.decompressAll(bytes, limit: limit)
    }

    public static func compress(_ bytes: [UInt8], level: Int = 6) throws(CompressionError) -> [UInt8] {
        try bytes.span.withUnsafeBytes { (raw) throws(CompressionError) in try compress(raw, level: level) }
    }

    public static func decompress(_ bytes: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        try bytes.span.withUnsafeBytes { (raw) throws(CompressionError) in try decompress(raw, limit: limit) }
    }

    /// Compresses chunks into one member. Owns one `z_stream`.
    public struct Compressor: StreamCompressor, ~Copyable {
        // zlib keeps the stream's address, so that it must not move.
        private let stream: UnsafeMutablePointer<z_stream>

        /// - Parameter level: 1 (fast) ... 9 (small).
        public init(level: Int = 6) throws(CompressionError) {
            guard (1...9).contains(level) else {
                throw CompressionError(code: .unavailable, message: "gzip: level \(level) is outside 1...9")
            }
            let stream = Gzip.allocate()
            let code = deflateInit2_(
                stream, Int32(level), Z_DEFLATED, windowBits, memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size))
            guard code == Z_OK else { throw Gzip.error(code, freeing: stream) }
            self.stream = stream
        }

        deinit {
            deflateEnd(stream)
            stream.deallocate()
        }

        public mutating func step(
            _ input: UnsafeRawBufferPointer, end: Bool, into output: UnsafeMutableRawBufferPointer
        ) throws(CompressionError) -> StreamProgress {
            let (offered, room) = stream.offer(input, output)
            let code = deflate(stream, end && offered == input.count ? Z_FINISH : Z_NO_FLUSH)
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw Gzip.error(code) }
            return stream.progress(offered, room, isFinished: code == Z_STREAM_END)
        }

        public mutating func reset() throws(CompressionError) {
            let code = deflateReset(stream)
            guard code == Z_OK else { throw Gzip.error(code) }
        }
    }

    /// Decompresses chunks of one or more members. Owns one `z_stream`.
    public struct Decompressor: StreamDecompressor, ~Copyable {
        // zlib keeps the stream's address, so that it must not move.
        private let stream: UnsafeMutablePointer<z_stream>
        public private(set) var isBetweenFrames = true

        public init() throws(CompressionError) {
            let stream = Gzip.allocate()
            let code = inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            guard code == Z_OK else { throw Gzip.error(code, freeing: stream) }
            self.stream = stream
        }

        deinit {
            inflateEnd(stream)
            stream.deallocate()
        }

        public mutating func step(
            _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
        ) throws(CompressionError) -> StreamProgress {
            if isBetweenFrames {
                if input.isEmpty { return StreamProgress(consumed: 0, produced: 0, isFinished: true) }
                try reset()
            }
            let (offered, room) = stream.offer(input, output)
            let code = inflate(stream, Z_NO_FLUSH)
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw Gzip.error(code) }
            isBetweenFrames = code == Z_STREAM_END
            return stream.progress(offered, room, isFinished: isBetweenFrames)
        }

        public mutating func reset() throws(CompressionError) {
            let code = inflateReset(stream)
            guard code == Z_OK else { throw Gzip.error(code) }
            isBetweenFrames = true
        }

        public static var formatName: String { "gzip" }
    }

    private static func allocate() -> UnsafeMutablePointer<z_stream> {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        return stream
    }

    private static func error(_ code: Int32, freeing stream: UnsafeMutablePointer<z_stream>) -> CompressionError {
        stream.deallocate()
        return error(code)
    }

    private static func error(_ code: Int32) -> CompressionError {
        let message = "gzip: " + String(cString: zError(code))
        switch code {
        case Z_DATA_ERROR, Z_NEED_DICT: return CompressionError(code: .corrupt, message: message)
        default: return CompressionError(code: .unavailable, message: message)
        }
    }
}

extension UnsafeMutablePointer<z_stream> {
    /// Points the stream at both buffers, as far as its 32-bit counts reach.
    fileprivate func offer(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) -> (input: Int, output: Int) {
        let counts = (min(input.count, Int(UInt32.max)), min(output.count, Int(UInt32.max)))
        // zlib reads through next_in only; its type lacks const.
        pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(to: UInt8.self)
        pointee.avail_in = UInt32(counts.0)
        pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        pointee.avail_out = UInt32(counts.1)
        return counts
    }

    fileprivate func progress(_ offered: Int, _ room: Int, isFinished: Bool) -> StreamProgress {
        StreamProgress(
            consumed: offered - Int(pointee.avail_in), produced: room - Int(pointee.avail_out), isFinished: isFinished)
    }
}
