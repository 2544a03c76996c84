import Kernels

/// Distinct byte strings numbered in the order in which they were first seen: public ids, vocabularies.
///
/// Identity is the whole string. The 64-bit key of ``PublicID`` finds it, and two strings with one key are an error.
package struct InternedStrings: Sendable {
    /// Longer ids are mistakes (a missing delimiter, a whole document in a column); the bound keeps them out of memory.
    package static let lengthMax = 1024

    /// What the strings are, as messages call them: "user id".
    private let kind: String
    package private(set) var keys: [UInt64] = []
    private var bytes: [UInt8] = []
    private var offsets: [Int] = [0]
    /// False for decimal ids, which their keys identify without a look at the bytes.
    private var isHashed: [Bool] = []
    private var index = KeyIndex()

    package init(kind: String, first: [String] = []) {
        self.kind = kind
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

    /// The row of a string, which becomes the last one if it is new; nil if it is too long or not UTF-8.
    ///
    /// - Complexity: O(length) expected.
    package mutating func row(ofUTF8 string: UnsafeRawBufferPointer) throws(CatalogError) -> UInt32? {
        let decimal = PublicID.decimal(string)
        let key = decimal ?? PublicID.key(ofUTF8: string)
        if let row = index.row(of: key) {
            guard decimal != nil ? !isHashed[row] : equals(row, string) else { throw collision(row, string) }
            return UInt32(truncatingIfNeeded: row)
        }
        guard string.count <= Self.lengthMax, String(validating: string, as: UTF8.self) != nil else { return nil }
        guard count < Int(KeyIndex.missing) else {
            throw CatalogError(.invalidInput, "more than \(count) \(kind)s: a table holds fewer than 2^32 rows")
        }
        let row = UInt32(truncatingIfNeeded: count)
        _ = index.insert(key, row: row)
        keys.append(key)
        bytes.append(contentsOf: string)
        offsets.append(bytes.count)
        isHashed.append(decimal == nil)
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

    private func equals(_ row: Int, _ string: UnsafeRawBufferPointer) -> Bool {
        let length = offsets[row + 1] - offsets[row]
        guard length == string.count else { return false }
        return bytes.withUnsafeBytes { bytes in
            UnsafeRawBufferPointer(rebasing: bytes[offsets[row]..<offsets[row + 1]]).elementsEqual(string)
        }
    }

    private func collision(_ row: Int, _ string: UnsafeRawBufferPointer) -> CatalogError {
        let other = String(decoding: string, as: UTF8.self)
        return CatalogError(
            .keyCollision, "\(kind)s \"\(self[row])\" and \"\(other)\" share the key \(keys[row]): rename one of them")
    }
}
