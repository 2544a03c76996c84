/// Numbers and times in the fields of a log, read from their bytes.
enum FieldValue {
    /// A decimal integer with an optional sign; nil for anything else, or beyond 64 bits.
    static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard let first = bytes.first else { return nil }
        let isSigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        let digits = isSigned ? UnsafeRawBufferPointer(rebasing: bytes.dropFirst()) : bytes
        guard (1...18).contains(digits.count) else { return nil }
        var value: Int64 = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return first == UInt8(ascii: "-") ? -value : value
    }

    /// A finite decimal number, with point and exponent as they may be.
    static func number(_ bytes: UnsafeRawBufferPointer) -> Double? {
        if bytes.count <= 15, let integer = integer(bytes) { return Double(integer) }
        guard bytes.count <= 64, !bytes.isEmpty else { return nil }
        // Only what decimal numbers are made of: no "nan", no hexadecimal.
        let alphabet = Array("0123456789+-.eE".utf8)
        guard bytes.allSatisfy({ alphabet.contains($0) }) else { return nil }
        guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    /// A duration of 0 seconds to ten million (four months): anything else is a mistaken unit or column.
    static func seconds(_ bytes: UnsafeRawBufferPointer) -> Float? {
        guard let seconds = number(bytes), (0...10_000_000).contains(seconds) else { return nil }
        return Float(seconds)
    }

    /// Milliseconds since 1970 of a time given as milliseconds, as seconds, or by ISO 8601.
    ///
    /// Whole numbers below 10^11 are seconds (up to the year 5138), others milliseconds; fractions are of seconds.
    /// Times before 1970 or after the year 9999 are not accepted.
    static func time(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        if let integer = integer(bytes) {
            guard integer >= 0 else { return nil }
            let milliseconds = integer < 100_000_000_000 ? integer * 1000 : integer
            return milliseconds <= ISOTime.millisecondsMax ? milliseconds : nil
        }
        if let seconds = number(bytes) {
            guard seconds >= 0, seconds < 100_000_000_000 else { return nil }
            return Int64((seconds * 1000).rounded())
        }
        guard let milliseconds = ISOTime.milliseconds(bytes), milliseconds >= 0 else { return nil }
        return milliseconds
    }
}

/// Dates and times of ISO 8601: `2022-04-25`, `2022-04-25T13:05:00`, with fractions of a second and `Z` or `+08:00`.
package enum ISOTime {
    /// The last millisecond of the year 9999.
    package static let millisecondsMax: Int64 = 253_402_300_799_999

    /// Days since 1970 of a date such as `2022-04-25`; nil for what is none.
    package static func day(_ date: String) -> Int64? {
        var copy = date
        let start = copy.withUTF8 { $0.count == 10 ? milliseconds(UnsafeRawBufferPointer($0)) : nil }
        return start.map { $0 / 86_400_000 }
    }

    /// Milliseconds since 1970; a time without an offset is UTC, a date is its first moment.
    static func milliseconds(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var cursor = Cursor(bytes: bytes)
        guard let year = cursor.digits(4), cursor.skip("-"), let month = cursor.digits(2), cursor.skip("-"),
            let day = cursor.digits(2), (1...12).contains(month), (1...daysIn(month, year)).contains(day)
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day) * 86_400_000
        if cursor.isAtEnd { return days }
        guard cursor.skip("T") || cursor.skip(" "), let hour = cursor.digits(2), cursor.skip(":"),
            let minute = cursor.digits(2), hour < 24, minute < 60
        else { return nil }
        var time = days + (hour * 60 + minute) * 60_000
        if cursor.skip(":") {
            guard let second = cursor.digits(2), second <= 60, let fraction = cursor.fraction() else { return nil }
            time += second * 1000 + fraction
        }
        guard let offset = cursor.offset(), cursor.isAtEnd else { return nil }
        return time - offset
    }

    /// Days from 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
    static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private struct Cursor {
        let bytes: UnsafeRawBufferPointer
        var place = 0

        var isAtEnd: Bool { place == bytes.count }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
            place += 1
            return true
        }

        mutating func digits(_ count: Int) -> Int64? {
            guard place + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[place..<place + count] {
                let digit = byte &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                value = value * 10 + Int64(digit)
            }
            place += count
            return value
        }

        /// Milliseconds of a fraction of a second, cut after the third digit; 0 when there is none.
        mutating func fraction() -> Int64? {
            guard skip(".") else { return 0 }
            var milliseconds: Int64 = 0
            var weight: Int64 = 100
            let start = place
            while let digit = digits(1) {
                milliseconds += digit * weight
                weight /= 10
            }
            return place > start ? milliseconds : nil
        }

        /// Milliseconds that the given zone is ahead of UTC.
        mutating func offset() -> Int64? {
            if isAtEnd || skip("Z") { return 0 }
            let isAhead = skip("+")
            guard isAhead || skip("-"), let hours = digits(2), hours < 24 else { return nil }
            _ = skip(":")
            guard let minutes = digits(2), minutes < 60 else { return nil }
            let offset = (hours * 60 + minutes) * 60_000
            return isAhead ? offset : -offset
        }
    }
}
