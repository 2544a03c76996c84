import CProtobufC
import Kernels
import RPC

/// From a structure's members to the properties of a message.
extension Arena {
    /// Elements of a packed field where protobuf-c put them.
    func buffer<Element>(_ base: UnsafeMutablePointer<Element>?, _ count: Int) -> SharedBuffer<Element> {
        guard count > 0 else { return SharedBuffer() }
        return SharedBuffer(owner: self, base: UnsafePointer(base), count: count)
    }

    func buffers(_ base: UnsafeMutablePointer<ProtobufCBinaryData>?, _ count: Int) -> [SharedBuffer<UInt8>] {
        UnsafeBufferPointer(start: base, count: count).map { buffer($0.data, $0.len) }
    }

    /// - Parameter field: Full name of the field, for the error.
    func string(_ bytes: ProtobufCBinaryData, _ field: StaticString) throws(RPCError) -> String {
        guard bytes.len > 0 else { return "" }
        let source = UnsafeBufferPointer(start: bytes.data, count: bytes.len)
        // Decoding repairs what is not UTF-8, which changes the bytes. Much faster than `String(validating:as:)`.
        var text = String(decoding: source, as: UTF8.self)
        guard text.withUTF8({ $0.count == source.count && $0.elementsEqual(source) }) else {
            throw RPCError(.invalidArgument, "\(field): the \(bytes.len) bytes are not valid UTF-8")
        }
        return text
    }

    func strings(
        _ base: UnsafeMutablePointer<ProtobufCBinaryData>?, _ count: Int, _ field: StaticString
    ) throws(RPCError) -> [String] {
        var result: [String] = []
        result.reserveCapacity(count)
        for bytes in UnsafeBufferPointer(start: base, count: count) {
            result.append(try string(bytes, field))
        }
        return result
    }

    func message<Message: CMessage>(_ structure: UnsafeMutablePointer<Message.CValue>?) throws(RPCError) -> Message? {
        guard let structure else { return nil }
        return try Message(UnsafePointer(structure), in: self)
    }

    func messages<Message: CMessage>(
        _ base: UnsafeMutablePointer<UnsafeMutablePointer<Message.CValue>?>?, _ count: Int
    ) throws(RPCError) -> [Message] {
        var result: [Message] = []
        result.reserveCapacity(count)
        for structure in UnsafeBufferPointer(start: base, count: count) {
            guard let message: Message = try message(structure) else { continue }
            result.append(message)
        }
        return result
    }

    /// A map field. As protobuf has it, the last entry of a key counts.
    func dictionary<Entry>(
        _ base: UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>?, _ count: Int, _ field: StaticString,
        _ parts: (Entry) -> (ProtobufCBinaryData, ProtobufCBinaryData)
    ) throws(RPCError) -> [String: String] {
        var result: [String: String] = [:]
        for entry in UnsafeBufferPointer(start: base, count: count) {
            guard let entry else { continue }
            let (key, value) = parts(entry.pointee)
            result[try string(key, field)] = try string(value, field)
        }
        return result
    }
}
