import GRPCCore

/// Reads `EchoRequest.ids`, a packed fixed64 field; the benchmark's requests hold nothing else.
///
/// Written by hand, so that the peer is not charged for a message library of its own.
struct RequestDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt64] {
        try bytes.withUnsafeBytes { buffer in
            var position = 0
            guard buffer.isEmpty || buffer[0] == 0x0A else {
                throw RPCError(code: .invalidArgument, message: "the request holds another field than ids")
            }
            position += 1
            let length = try varint(in: buffer, at: &position)
            guard length % 8 == 0, position + length == buffer.count else {
                throw RPCError(code: .invalidArgument, message: "ids are cut short")
            }
            return [UInt64](unsafeUninitializedCapacity: length / 8) { ids, count in
                UnsafeMutableRawBufferPointer(ids).copyMemory(from: .init(rebasing: buffer[position...]))
                count = length / 8
            }
        }
    }

    private func varint(in buffer: UnsafeRawBufferPointer, at position: inout Int) throws -> Int {
        var value = 0
        var shift = 0
        while position < buffer.count, shift < 35 {
            let byte = Int(buffer[position])
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw RPCError(code: .invalidArgument, message: "the length of ids is cut short")
    }
}

/// Writes `EchoResponse.values`, a packed float field.
struct ResponseSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ values: [Float]) throws -> Bytes {
        var header: [UInt8] = [0x0A]
        var length = values.count * 4
        while length >= 0x80 {
            header.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        header.append(UInt8(length))
        var bytes = Bytes(repeating: 0, count: header.count + values.count * 4)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.copyBytes(from: header)
            values.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[header.count...]).copyMemory(from: $0) }
        }
        return bytes
    }
}
