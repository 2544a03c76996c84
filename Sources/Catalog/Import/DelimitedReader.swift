import Blobs

/// Reads records of delimited fields from a file, a chunk at a time: CSV after RFC 4180, and its relatives.
///
/// Fields are ranges of bytes in the reader's buffer, valid until the next record. LF, CR LF and a missing last line
/// end are all accepted, a byte order mark and empty lines are skipped, quoted fields may hold delimiters and line
/// ends. Used by one thread.
struct DelimitedReader: ~Copyable {
    struct Format: Sendable {
        var delimiter: UInt8
        /// Whether a field that begins with `"` extends to the next `"` that is not doubled.
        var hasQuotes: Bool

        static let csv = Format(delimiter: UInt8(ascii: ","), hasQuotes: true)
        static let tabs = Format(delimiter: UInt8(ascii: "\t"), hasQuotes: false)
        static let spaces = Format(delimiter: UInt8(ascii: " "), hasQuotes: false)
        static let bars = Format(delimiter: UInt8(ascii: "|"), hasQuotes: false)
    }

    /// The longest record: the buffer holds one of them whole. A longer one is an unclosed quote or no text at all.
    static let recordMax = 4 << 20
    /// The most fields of one record, far above any table a log comes in.
    static let fieldsMax = 4096
    /// Scans read whole words, so the buffer ends this many bytes after its last one.
    private static let padding = 8

    private struct Field {
        var start: Int
        var end: Int
        /// Whether `""` inside still stands for `"`.
        var isEscaped: Bool
    }

    let path: String
    /// Line on which the current record begins, from 1.
    private(set) var line = 0
    private(set) var fieldCount = 0

    private let file: File
    private let scanner: FieldScanner
    private let format: Format
    private let buffer: UnsafeMutableRawBufferPointer
    private let fields: UnsafeMutableBufferPointer<Field>
    private var position = 0
    private var filled = 0
    private var fileOffset = 0
    private var isAtEnd = false
    private var nextLine = 1
    private let fileSize: Int

    init(path: String, format: Format) throws(CatalogError) {
        let file = try catalogErrors { () throws(BlobError) -> File in try File(path, .read) }
        let size = try catalogErrors { () throws(BlobError) in try file.size() }
        self.file = file
        fileSize = size
        self.path = path
        self.format = format
        scanner = FieldScanner(delimiter: format.delimiter)
        buffer = .allocate(byteCount: Self.recordMax + Self.padding, alignment: 64)
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        fields = .allocate(capacity: Self.fieldsMax)
    }

    deinit {
        buffer.deallocate()
        fields.deallocate()
    }

    /// Moves on to the next record that is not empty; false at the end of the file.
    ///
    /// - Throws: when a record is longer than ``recordMax``, or a quoted field is not closed as it should be.
    mutating func next() throws(CatalogError) -> Bool {
        while true {
            line = nextLine
            guard position < filled else {
                if isAtEnd { return false }
                try fill()
                continue
            }
            guard let end = try parse() else {
                guard filled - position < Self.recordMax else {
                    throw fault("the record is longer than \(Self.recordMax) bytes")
                }
                try fill()
                continue
            }
            nextLine += 1
            let isEmpty = fieldCount == 1 && fields[0].start == fields[0].end && !isQuoted(fields[0])
            position = end
            if !isEmpty { return true }
        }
    }

    /// The bytes of a field of the current record, valid until the next.
    mutating func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        precondition(index < fieldCount, "the record has \(fieldCount) fields")
        if fields[index].isEscaped { unescape(index) }
        let field = fields[index]
        return UnsafeRawBufferPointer(rebasing: buffer[field.start..<field.end])
    }

    /// The part of the file that has been read, 0...1.
    var fractionRead: Double {
        fileSize > 0 ? min(1, Double(fileOffset - filled + position) / Double(fileSize)) : 1
    }

    mutating func string(_ index: Int) -> String {
        String(decoding: bytes(index), as: UTF8.self)
    }

    func fault(_ message: String) -> CatalogError {
        CatalogError(.invalidInput, "\(path):\(line): \(message)")
    }

    /// Finds the fields of the record at `position`.
    ///
    /// - Returns: where the next record begins; nil when the buffer ends first and the file does not.
    private mutating func parse() throws(CatalogError) -> Int? {
        fieldCount = 0
        var start = position
        var innerLines = 0
        while true {
            guard fieldCount < Self.fieldsMax else { throw fault("more than \(Self.fieldsMax) fields") }
            var field = Field(start: start, end: 0, isEscaped: false)
            var end: Int
            if format.hasQuotes, start < filled, buffer[start] == UInt8(ascii: "\"") {
                guard let close = closingQuote(&field, &innerLines) else {
                    if isAtEnd { throw fault("a quoted field is not closed") }
                    return nil
                }
                field.start += 1
                field.end = close
                end = close + 1
                if end + 1 >= filled, !isAtEnd { return nil }
                guard end == filled || isBoundary(end) else { throw fault("text follows a closed quote") }
                if end < filled, buffer[end] == UInt8(ascii: "\r") { end += 1 }
            } else {
                end = scanner.end(buffer, from: start, to: filled)
                field.end = end
                if end == filled, !isAtEnd { return nil }
                let isLast = end == filled || buffer[end] == UInt8(ascii: "\n")
                if isLast, end > start, buffer[end - 1] == UInt8(ascii: "\r") { field.end -= 1 }
            }
            fields[fieldCount] = field
            fieldCount += 1
            if end < filled, buffer[end] == format.delimiter {
                start = end + 1
                continue
            }
            nextLine += innerLines
            return min(end + 1, filled)
        }
    }

    /// The place of the quote that closes `field`; counts the line ends inside.
    private func closingQuote(_ field: inout Field, _ lines: inout Int) -> Int? {
        var place = field.start + 1
        while place < filled {
            let byte = buffer[place]
            if byte == UInt8(ascii: "\n") { lines += 1 }
            if byte == UInt8(ascii: "\"") {
                guard place + 1 < filled else { return isAtEnd ? place : nil }
                guard buffer[place + 1] == UInt8(ascii: "\"") else { return place }
                field.isEscaped = true
                place += 1
            }
            place += 1
        }
        return nil
    }

    private func isBoundary(_ place: Int) -> Bool {
        switch buffer[place] {
        case format.delimiter, UInt8(ascii: "\n"): true
        case UInt8(ascii: "\r"): place + 1 == filled || buffer[place + 1] == UInt8(ascii: "\n")
        default: false
        }
    }

    private func isQuoted(_ field: Field) -> Bool {
        format.hasQuotes && field.start > 0 && buffer[field.start - 1] == UInt8(ascii: "\"")
    }

    /// Replaces `""` by `"` where the field lies.
    private mutating func unescape(_ index: Int) {
        let field = fields[index]
        var target = field.start
        var source = field.start
        while source < field.end {
            let byte = buffer[source]
            buffer[target] = byte
            target += 1
            source += byte == UInt8(ascii: "\"") ? 2 : 1
        }
        fields[index].end = target
        fields[index].isEscaped = false
    }

    /// Moves what is left to the front of the buffer and reads on behind it.
    private mutating func fill() throws(CatalogError) {
        let left = filled - position
        if left > 0, position > 0 {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[position..<filled]))
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[left..<Self.recordMax])
        let offset = fileOffset
        let count: Int
        do throws(BlobError) {
            count = try file.read(into: room, at: offset)
        } catch {
            throw CatalogError(error)
        }
        position = 0
        filled = left + count
        let isMarked = offset == 0 && filled >= 3 && buffer[0] == 0xEF && buffer[1] == 0xBB && buffer[2] == 0xBF
        if isMarked { position = 3 }
        fileOffset += count
        isAtEnd = count < room.count
    }
}

/// Finds where unquoted fields end, eight bytes at a time (Mycroft's test for a zero byte in a word).
struct FieldScanner {
    private let delimiters: UInt64

    init(delimiter: UInt8) {
        delimiters = UInt64(delimiter) &* 0x0101_0101_0101_0101
    }

    /// The first delimiter or LF in `start..<end`, else `end`; reads up to 7 bytes beyond `end`.
    @inline(__always)
    func end(_ buffer: UnsafeMutableRawBufferPointer, from start: Int, to end: Int) -> Int {
        var place = start
        while place < end {
            let word = UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            let found = zeroBytes(word ^ delimiters) | zeroBytes(word ^ 0x0A0A_0A0A_0A0A_0A0A)
            if found != 0 { return min(place + found.trailingZeroBitCount / 8, end) }
            place += 8
        }
        return end
    }

    /// The high bit of each zero byte; exact up to and including the lowest one.
    @inline(__always)
    private func zeroBytes(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }
}
