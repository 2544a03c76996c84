import Foundation
import RPC

/// Messages as Google's protobuf runtime encodes them; scripts/golden_messages.py wrote the file.
struct Golden {
    var name: String
    var type: String
    var bytes: [UInt8]

    static let all: [Golden] = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = tests.appendingPathComponent("Golden/messages.txt")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").map { line in
            let parts = line.split(separator: " ").map(String.init)
            return Golden(name: parts[0], type: parts[1], bytes: parts[2] == "-" ? [] : bytes(hex: parts[2]))
        }
    }()

    static func bytes(named name: String) -> [UInt8] {
        all.first { $0.name == name }?.bytes ?? []
    }

    private static func bytes(hex: String) -> [UInt8] {
        let digits = hex.utf8.map { UInt8($0 <= 57 ? $0 - 48 : $0 - 87) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

func decode<Message: RPCMessage>(_ type: Message.Type, _ bytes: [UInt8]) throws -> Message {
    try bytes.withUnsafeBytes { try Message(serialized: $0) }
}

func encode(_ message: some RPCMessage) throws -> [UInt8] {
    var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    defer { memory.deallocate() }
    try message.serialize { byteCount in
        memory = .allocate(byteCount: byteCount, alignment: 16)
        return memory
    }
    return Array(memory)
}
