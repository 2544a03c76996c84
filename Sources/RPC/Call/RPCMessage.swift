/// A message that can travel: the RPC layer frames bytes and knows nothing of what they mean.
public protocol RPCMessage: Sendable {
    /// Decodes a message. The bytes are valid during the call only.
    init(serialized bytes: UnsafeRawBufferPointer) throws(RPCError)

    /// Bytes that `serialize` will write.
    var serializedSize: Int { get }

    /// Writes exactly `serializedSize` bytes to the start of `buffer`, which has at least that room.
    func serialize(into buffer: UnsafeMutableRawBufferPointer)
}
