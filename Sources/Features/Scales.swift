import Foundation

/// log(1 + x): how counts and seconds enter the models.
package func logPlusOne(_ value: Float) -> Float {
    log1p(value)
}

/// The number that ``logPlusOne(_:)`` made a value of.
func exponentialMinusOne(_ value: Float) -> Float {
    expm1(value)
}

/// Time as models see it.
package enum Clock {
    package static let hours = 24
    package static let weekdays = 7
    private static let millisecondsPerHour: Int64 = 3_600_000

    /// Hour of the day, 0..<24, in UTC or whatever time the milliseconds are of.
    package static func hour(_ milliseconds: Int64) -> Int {
        floorModulo(floorQuotient(milliseconds, millisecondsPerHour), Int64(hours))
    }

    /// Day of the week, Sunday 0; 1 January 1970 was a Thursday.
    package static func weekday(_ milliseconds: Int64) -> Int {
        floorModulo(day(milliseconds) &+ 4, Int64(weekdays))
    }

    /// Days since 1 January 1970.
    package static func day(_ milliseconds: Int64) -> Int64 {
        floorQuotient(milliseconds, millisecondsPerHour * 24)
    }

    package static func hours(from start: Int64, to end: Int64) -> Float {
        Float(max(end &- start, 0)) / Float(millisecondsPerHour)
    }

    private static func floorQuotient(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value &+ 1) / divisor - 1
    }

    private static func floorModulo(_ value: Int64, _ divisor: Int64) -> Int {
        let remainder = value % divisor
        return Int(remainder >= 0 ? remainder : remainder + divisor)
    }
}

func logRatio(_ numerator: Float, _ denominator: Float) -> Float {
    log(numerator / denominator)
}
