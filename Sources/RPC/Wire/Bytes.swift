import Glibc

extension UnsafeRawBufferPointer {
    /// - Complexity: O(n); O(1) when the lengths differ.
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        guard let baseAddress else { return true }
        return memcmp(baseAddress, text.utf8Start, count) == 0
    }

    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let baseAddress, let otherBase = other.baseAddress else { return true }
        return memcmp(baseAddress, otherBase, count) == 0
    }

    func starts(with text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount
            && UnsafeRawBufferPointer(rebasing: self[..<text.utf8CodeUnitCount]).equals(text)
    }

    /// The bytes as text; invalid UTF-8 is repaired.
    var text: String { String(decoding: self, as: UTF8.self) }

    /// A decimal number, if the bytes are one of at most nine digits.
    var decimal: Int? {
        guard (1...9).contains(count) else { return nil }
        var value = 0
        for digit in self {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return value
    }
}

extension MessageEncoding {
    init?(_ name: UnsafeRawBufferPointer) {
        switch name.count {
        case 8 where name.equals("identity"): self = .identity
        case 4 where name.equals("gzip"): self = .gzip
        case 4 where name.equals("zstd"): self = .zstd
        default: return nil
        }
    }

    /// Whether `grpc-accept-encoding`, a list like "identity, gzip", names this encoding.
    func isListed(in list: UnsafeRawBufferPointer) -> Bool {
        list.split(separator: UInt8(ascii: ",")).contains { item in
            var name = UnsafeRawBufferPointer(rebasing: item)
            while name.first == UInt8(ascii: " ") { name = UnsafeRawBufferPointer(rebasing: name.dropFirst()) }
            while name.last == UInt8(ascii: " ") { name = UnsafeRawBufferPointer(rebasing: name.dropLast()) }
            return MessageEncoding(name) == self
        }
    }

    /// What this side understands, as `grpc-accept-encoding` lists it.
    static let supported: StaticString = "identity,gzip,zstd"
}

extension Metadata {
    /// Takes a received header that is not the protocol's own; false when it is malformed.
    mutating func receive(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        if name.first == UInt8(ascii: ":") { return true }
        if name.starts(with: "grpc-"), !name.equals("grpc-status-details-bin") { return true }
        switch name.count {
        case 2 where name.equals("te"): return true
        case 10 where name.equals("user-agent"): return true
        case 12 where name.equals("content-type"): return true
        case 14 where name.equals("content-length"): return true
        default: break
        }
        let key = name.text
        guard key.hasSuffix("-bin") else {
            append(received: Entry(key: key, value: .text(value.text)))
            return true
        }
        guard let binary = Base64.decode(value) else { return false }
        append(received: Entry(key: key, value: .binary(binary)))
        return true
    }
}
