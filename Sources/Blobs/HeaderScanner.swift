/// Reads the part of JSON that a safetensors header is made of, from bytes that may hold anything.
///
/// Written out rather than left to a general parser: it refuses duplicate keys and everything the format does not use,
/// keeps the offset for messages, and does not recurse.
struct HeaderScanner {
    private let bytes: [UInt8]
    /// Bytes of the file before the header.
    private let start: Int
    private let path: String
    private var position = 0

    init(_ bytes: [UInt8], startingAt start: Int, path: String) {
        self.bytes = bytes
        self.start = start
        self.path = path
    }

    func failure(_ problem: String) -> BlobError {
        BlobError(.corrupt, "\(path): header at offset \(start + position): \(problem)")
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private var found: String {
        position < bytes.count ? "'\(Unicode.Scalar(bytes[position]))'" : "the end of the header"
    }

    mutating func expect(_ character: Unicode.Scalar) throws(BlobError) {
        guard accept(character) else { throw failure("expected '\(character)', found \(found)") }
    }

    mutating func accept(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
        position += 1
        return true
    }

    mutating func expectEnd() throws(BlobError) {
        skipSpace()
        guard position == bytes.count else { throw failure("expected the end of the header, found \(found)") }
    }

    /// A whole number that is not negative.
    mutating func integer() throws(BlobError) -> Int {
        skipSpace()
        let first = position
        var value = 0
        while position < bytes.count, case let digit = bytes[position], digit >= 0x30, digit <= 0x39 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit - 0x30))
            guard !overflow, !carry else { throw failure("number too large") }
            value = sum
            position += 1
        }
        guard position > first else { throw failure("expected a whole number, found \(found)") }
        return value
    }

    /// `[1, 2, 3]`
    mutating func integers() throws(BlobError) -> [Int] {
        try expect("[")
        var values: [Int] = []
        if accept("]") { return values }
        repeat { values.append(try integer()) } while accept(",")
        try expect("]")
        return values
    }

    mutating func string() throws(BlobError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case 0x22:
                position += 1
                guard let string = String(validating: text, as: UTF8.self) else { throw failure("string is not UTF-8") }
                return string
            case 0x5C: text.append(contentsOf: try escape())
            case 0..<0x20: throw failure("control character in a string")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw failure("string without an end")
    }

    /// One `\x` or `\uXXXX` escape, with its second half where it needs one, as UTF-8.
    private mutating func escape() throws(BlobError) -> [UInt8] {
        position += 1
        guard position < bytes.count else { throw failure("string without an end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: return [byte]
        case 0x62: return [0x08]
        case 0x66: return [0x0C]
        case 0x6E: return [0x0A]
        case 0x72: return [0x0D]
        case 0x74: return [0x09]
        case 0x75: return Array(String(try unicodeEscape()).utf8)
        default: throw failure("unknown escape in a string")
        }
    }

    private mutating func unicodeEscape() throws(BlobError) -> Character {
        let first = try codeUnit()
        var units = [first]
        if UTF16.isLeadSurrogate(first) {
            guard position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == 0x75 else {
                throw failure("half a surrogate pair")
            }
            position += 2
            units.append(try codeUnit())
        }
        guard let text = String(validating: units, as: UTF16.self), let character = text.first else {
            throw failure("half a surrogate pair")
        }
        return character
    }

    private mutating func codeUnit() throws(BlobError) -> UInt16 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw failure("expected four hexadecimal digits") }
        position += 4
        return unit
    }

    /// `{"key": value, ...}`: calls `member` for each key, which reads its value.
    mutating func object(
        _ member: (inout HeaderScanner, String) throws(BlobError) -> Void
    ) throws(BlobError) {
        try expect("{")
        if accept("}") { return }
        var seen: Set<String> = []
        repeat {
            let key = try string()
            guard seen.insert(key).inserted else { throw failure("the key \"\(key)\" appears twice") }
            try expect(":")
            try member(&self, key)
        } while accept(",")
        try expect("}")
    }
}
