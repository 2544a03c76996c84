package import NIOCore

/// The `grpc-timeout` header: up to eight digits and a unit.
package enum Timeout {
    /// Nil if the text is not a timeout.
    package static func parse(_ text: UnsafeRawBufferPointer) -> TimeAmount? {
        guard (2...9).contains(text.count), let unit = text.last else { return nil }
        var value: Int64 = 0
        for digit in text.dropLast() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        // Eight digits of hours are 3.6e20 ns: more than fits, and longer than any deadline that matters.
        switch unit {
        case UInt8(ascii: "H"): return .hours(min(value, 1_000_000))
        case UInt8(ascii: "M"): return .minutes(value)
        case UInt8(ascii: "S"): return .seconds(value)
        case UInt8(ascii: "m"): return .milliseconds(value)
        case UInt8(ascii: "u"): return .microseconds(value)
        case UInt8(ascii: "n"): return .nanoseconds(value)
        default: return nil
        }
    }

    /// Writes the finest form that fits eight digits; returns its length, at most nine.
    package static func format(_ timeout: TimeAmount, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        let limit: Int64 = 100_000_000
        var value = max(timeout.nanoseconds, 1) / 1000
        var unit = UInt8(ascii: "u")
        if value == 0 {
            value = max(timeout.nanoseconds, 1)
            unit = UInt8(ascii: "n")
        } else if value >= limit {
            value /= 1000
            unit = UInt8(ascii: "m")
            if value >= limit {
                value = min(value / 1000, limit - 1)
                unit = UInt8(ascii: "S")
            }
        }
        let count = writeDecimal(value, into: bytes)
        bytes[count] = unit
        return count + 1
    }

    private static func writeDecimal(_ value: Int64, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        var count = 1
        var bound: Int64 = 10
        while value >= bound {
            bound *= 10
            count += 1
        }
        var rest = value
        for index in stride(from: count - 1, through: 0, by: -1) {
            bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        return count
    }
}
