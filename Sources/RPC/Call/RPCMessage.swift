/// A message that can travel: the RPC layer frames bytes and knows nothing of what they mean.
public protocol RPCMessage: Sendable {
    /// Decodes a message. The bytes are valid during the call only.
    init(serialized bytes: UnsafeRawBufferPointer) throws(RPCError)

    /// Encodes the message: asks `room` once, for as many bytes as it takes, and fills what it gets.
    func serialize(
        into room: (_ byteCount: Int) throws(RPCError) -> UnsafeMutableRawBufferPointer
    ) throws(RPCError)
}
