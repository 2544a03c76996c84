import CProtobufC
import RPC

/// A message with a protobuf-c structure, through which it is encoded and decoded.
protocol CMessage: Sendable {
    /// The structure; it begins with a `ProtobufCMessage`.
    associatedtype CValue

    static var protobufName: StaticString { get }
    /// Sets the structure's descriptor and default values.
    static func initialize(_ c: UnsafeMutablePointer<CValue>)
    /// Buffers of the new message share `arena`'s memory.
    init(_ c: UnsafePointer<CValue>, in arena: Arena) throws(RPCError)
    /// Pointers into this message's own storage are left in the structure: it must not outlive the message.
    func encode(into c: UnsafeMutablePointer<CValue>, in arena: Arena)
}

extension CMessage {
    /// - Complexity: O(bytes); packed numeric fields are copied once.
    static func decoded(from bytes: UnsafeRawBufferPointer) throws(RPCError) -> Self {
        let arena = Arena(expecting: 2 * bytes.count + MemoryLayout<CValue>.size, bytesMax: Arena.decodedBytesMax)
        var allocator = arena.allocator
        let message = protobuf_c_message_unpack(
            descriptor, &allocator, bytes.count, bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        guard let message else {
            guard !arena.isExhausted else {
                throw RPCError(
                    .resourceExhausted,
                    "\(protobufName): \(bytes.count) bytes expand to more than \(Arena.decodedBytesMax) bytes")
            }
            throw RPCError(
                .invalidArgument, "\(protobufName): the \(bytes.count) bytes are not a valid message")
        }
        return try Self(UnsafeRawPointer(message).assumingMemoryBound(to: CValue.self), in: arena)
    }

    func encode(
        into room: (_ byteCount: Int) throws(RPCError) -> UnsafeMutableRawBufferPointer
    ) throws(RPCError) {
        let arena = Arena(expecting: 2 * MemoryLayout<CValue>.size, bytesMax: .max)
        // The structure points to this message's own storage.
        defer {
            extendLifetime(arena)
            extendLifetime(self)
        }
        let message = UnsafeRawPointer(arena.structure(of: self)).assumingMemoryBound(to: ProtobufCMessage.self)
        let size = protobuf_c_message_get_packed_size(message)
        let memory = try room(size)
        precondition(memory.count >= size, "less room than was asked for")
        guard let base = memory.baseAddress else { return }
        protobuf_c_message_pack(message, base.assumingMemoryBound(to: UInt8.self))
    }

    private static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {
        withUnsafeTemporaryAllocation(of: CValue.self, capacity: 1) { memory in
            guard let structure = memory.baseAddress else { preconditionFailure("a structure has a size") }
            initialize(structure)
            return UnsafeRawPointer(structure).load(as: ProtobufCMessage.self).descriptor
        }
    }
}

extension Arena {
    /// `message` as a structure in the arena.
    func structure<Message: CMessage>(of message: Message) -> UnsafeMutablePointer<Message.CValue> {
        let structure = allocate(Message.CValue.self)
        Message.initialize(structure)
        message.encode(into: structure, in: self)
        return structure
    }
}
