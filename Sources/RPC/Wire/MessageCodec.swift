import Compression

/// Compresses and decompresses messages, keeping each library's state for the next one. Confined to one event loop.
final class MessageCodec {
    /// Below this a compressed message is hardly smaller, and costs the same call.
    static let sizeMinimum = 512
    /// Fast levels: what is saved on the wire must not be paid twice in time.
    private static let zstdLevel = 1
    private static let gzipLevel = 1
    /// zstd's window for messages, 8 MiB: what a sender's frame may make this side allocate.
    private static let windowLogMax = 23

    private var zstdCompressor: Zstandard.Compressor?
    private var zstdDecompressor: Zstandard.Decompressor?
    private var gzipCompressor: Gzip.Compressor?
    private var gzipDecompressor: Gzip.Decompressor?

    /// - Parameter limit: most bytes the message may have once decompressed.
    func decompress(
        _ bytes: UnsafeRawBufferPointer, _ encoding: MessageEncoding, limit: Int
    ) throws(RPCError) -> [UInt8] {
        do throws(CompressionError) {
            switch encoding {
            case .zstd: return try zstd(bytes, limit: limit)
            case .gzip: return try gzip(bytes, limit: limit)
            case .identity: break
            }
        } catch {
            let code: RPCError.Code = error.code == .limitExceeded ? .resourceExhausted : .internal
            throw RPCError(code, "compressed message: \(error.message)", cause: error)
        }
        throw RPCError(.internal, "a message is marked as compressed, but grpc-encoding is identity")
    }

    /// Hands the compressed bytes to `sink` in pieces.
    func compress(
        _ bytes: UnsafeRawBufferPointer, _ encoding: MessageEncoding, into sink: (UnsafeRawBufferPointer) -> Void
    ) throws {
        switch encoding {
        case .identity: sink(bytes)
        case .zstd:
            var compressor =
                if let kept = zstdCompressor.take() { kept } else { try Zstandard.Compressor(level: Self.zstdLevel) }
            try compressor.compress(bytes, end: true, into: sink)
            try compressor.reset()
            zstdCompressor = consume compressor
        case .gzip:
            var compressor =
                if let kept = gzipCompressor.take() { kept } else { try Gzip.Compressor(level: Self.gzipLevel) }
            try compressor.compress(bytes, end: true, into: sink)
            try compressor.reset()
            gzipCompressor = consume compressor
        }
    }

    private func zstd(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> [UInt8] {
        var decompressor =
            if let kept = zstdDecompressor.take() { kept } else {
                try Zstandard.Decompressor(windowLogMax: Self.windowLogMax)
            }
        let output = try decompressor.decompressAll(bytes, limit: limit, expected: Zstandard.contentSize(of: bytes))
        zstdDecompressor = consume decompressor
        return output
    }

    private func gzip(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> [UInt8] {
        var decompressor = if let kept = gzipDecompressor.take() { kept } else { try Gzip.Decompressor() }
        let output = try decompressor.decompressAll(bytes, limit: limit)
        gzipDecompressor = consume decompressor
        return output
    }
}
