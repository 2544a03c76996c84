/// Cuts the bytes of a stream into messages: one byte of flags, four of length (big-endian), then the message
/// (grpc/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
///
/// A message that lies whole in one chunk is read where it lies; only the rest of a cut message is copied.
struct Deframer: ~Copyable {
    static let prefixSize = 5

    private var pending = ByteQueue()

    /// Bytes of an unfinished message that are held.
    var held: Int { pending.count }

    /// True between messages: when the stream may rightly end.
    var isBetweenMessages: Bool { pending.isEmpty }

    /// Calls `body` for each message that the chunk completes.
    ///
    /// - Parameters:
    ///   - limit: largest message in bytes; a larger one is refused when its prefix is seen.
    ///   - body: gets whether the message is compressed, and its bytes, valid during the call only.
    mutating func receive(
        _ chunk: UnsafeRawBufferPointer, limit: Int,
        _ body: (_ isCompressed: Bool, _ message: UnsafeRawBufferPointer) throws(RPCError) -> Void
    ) throws(RPCError) {
        if pending.isEmpty {
            let used = try Self.scan(chunk, limit: limit, body)
            if used < chunk.count { pending.append(UnsafeRawBufferPointer(rebasing: chunk[used...])) }
        } else {
            pending.append(chunk)
            let used = try Self.scan(pending.readable, limit: limit, body)
            pending.consume(used)
        }
    }

    mutating func removeAll() {
        pending.removeAll()
    }

    /// Returns how many bytes the complete messages took.
    private static func scan(
        _ bytes: UnsafeRawBufferPointer, limit: Int,
        _ body: (Bool, UnsafeRawBufferPointer) throws(RPCError) -> Void
    ) throws(RPCError) -> Int {
        var used = 0
        while bytes.count - used >= prefixSize {
            let flags = bytes[used]
            let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: used + 1, as: UInt32.self)))
            guard flags <= 1 else {
                throw RPCError(.internal, "message prefix: flags are \(flags), expected 0 or 1")
            }
            guard length <= limit else {
                throw RPCError(.resourceExhausted, "message of \(length) bytes is larger than the limit of \(limit)")
            }
            let start = used + prefixSize
            guard bytes.count - start >= length else { break }
            used = start + length
            try body(flags == 1, UnsafeRawBufferPointer(rebasing: bytes[start..<used]))
        }
        return used
    }

    /// Writes the prefix of a message of `length` bytes.
    static func writePrefix(isCompressed: Bool, length: Int, to bytes: UnsafeMutableRawBufferPointer) {
        bytes[0] = isCompressed ? 1 : 0
        bytes.storeBytes(of: UInt32(length).bigEndian, toByteOffset: 1, as: UInt32.self)
    }
}
