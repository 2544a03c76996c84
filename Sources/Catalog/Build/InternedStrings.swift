import Kernels

/// Distinct byte strings numbered in the order in which they were first seen: public ids, vocabularies.
///
/// The 64-bit key of ``PublicID`` finds a string. Two strings with one key are an error, which a 31-bit check of the
/// string tells without a look at its bytes: logs are long, and each look would be two cache misses.
package struct InternedStrings: Sendable {
    /// Longer ids are mistakes (a missing delimiter, a whole document in a column); the bound keeps them out of memory.
    package static let lengthMax = 1024

    /// What the strings are, as messages call them: "user id".
    private let kind: String
    /// Strings, at most.
    private let rowsMax: Int
    package private(set) var keys: [UInt64] = []
    private var bytes: [UInt8] = []
    private var offsets: [Int] = [0]
    private var index = KeyIndex()

    package init(kind: String, first: [String] = [], rowsMax: Int = .max) {
        self.kind = kind
        self.rowsMax = rowsMax
        for string in first { _ = try? row(of: string) }
    }

    package var count: Int { keys.count }

    package subscript(row: Int) -> String {
        String(decoding: bytes[offsets[row]..<offsets[row + 1]], as: UTF8.self)
    }

    package mutating func row(of string: String) throws(CatalogError) -> UInt32? {
        var copy = string
        let result = copy.withUTF8 { utf8 in
            Result { () throws(CatalogError) in try row(ofUTF8: UnsafeRawBufferPointer(utf8)) }
        }
        return try result.get()
    }

    /// The row of a string, which becomes the last one if it is new; nil if it is too long, not UTF-8, or one
    /// too many.
    ///
    /// - Complexity: O(length) expected.
    package mutating func row(ofUTF8 string: UnsafeRawBufferPointer) throws(CatalogError) -> UInt32? {
        let decimal = PublicID.decimal(string)
        let key = decimal ?? PublicID.key(ofUTF8: string)
        let check = decimal == nil ? Self.check(of: string) : 0
        if let entry = index.entry(of: key) {
            guard entry.tag == check else { throw collision(Int(entry.row), string) }
            return entry.row
        }
        guard string.count <= Self.lengthMax, count < rowsMax, String(validating: string, as: UTF8.self) != nil else {
            return nil
        }
        guard count < Int(KeyIndex.missing) else {
            throw CatalogError(.invalidInput, "more than \(count) \(kind)s: a table holds fewer than 2^32 rows")
        }
        let row = UInt32(truncatingIfNeeded: count)
        _ = index.insert(key, row: row, tag: check)
        keys.append(key)
        bytes.append(contentsOf: string)
        offsets.append(bytes.count)
        return row
    }

    /// The strings in the given order of rows.
    ///
    /// - Complexity: O(total length).
    package func table(_ order: some Collection<Int>) -> StringTable {
        var ordered: [UInt8] = []
        var ends: [UInt64] = [0]
        ordered.reserveCapacity(bytes.count)
        ends.reserveCapacity(order.count + 1)
        for row in order {
            ordered.append(contentsOf: bytes[offsets[row]..<offsets[row + 1]])
            ends.append(UInt64(ordered.count))
        }
        return StringTable(bytes: SharedBuffer(ordered), offsets: SharedBuffer(ends))
    }

    package func table() -> StringTable {
        table(0..<count)
    }

    /// A check of the bytes that owes nothing to XXH3: a polynomial over the string's words, its length, and a last bit
    /// that is set, because decimal ids, which their keys identify, have the check 0.
    @inline(__always)
    private static func check(of string: UnsafeRawBufferPointer) -> UInt32 {
        var sum = UInt64(string.count) &* 0x9E37_79B9_7F4A_7C15
        var place = 0
        while place < string.count {
            var word: UInt64 = 0
            if place + 8 <= string.count {
                word = string.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            } else {
                for byte in string[place...] { word = word << 8 | UInt64(byte) }
            }
            sum = (sum ^ word) &* 0xD6E8_FEB8_6659_FD93
            sum ^= sum >> 32
            place += 8
        }
        return UInt32(truncatingIfNeeded: sum) | 1
    }

    private func collision(_ row: Int, _ string: UnsafeRawBufferPointer) -> CatalogError {
        let other = String(decoding: string, as: UTF8.self)
        return CatalogError(
            .keyCollision, "\(kind)s \"\(self[row])\" and \"\(other)\" share the key \(keys[row]): rename one of them")
    }
}
