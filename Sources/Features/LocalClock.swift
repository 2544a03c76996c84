import Catalog
import Foundation

/// Hours and days as the clocks of a time zone show them, summer time and all, and which days are holidays.
struct LocalClock: Sendable {
    private let zone: TimeZone
    /// Days since 1970.
    private let holidays: Set<Int64>

    /// - Throws: when the schema names no time zone, or holidays that are no dates.
    init(_ schema: FeatureSchema) throws(FeatureError) {
        guard let zone = TimeZone(identifier: schema.timeZone) else {
            throw FeatureError(
                "timeZone: expected a name of the IANA database such as Europe/Oslo, or UTC, found '\(schema.timeZone)'"
            )
        }
        self.zone = zone
        var days: Set<Int64> = []
        for date in schema.holidays {
            guard let day = ISOTime.day(date) else {
                throw FeatureError("holidays: expected dates such as 2026-12-25, found '\(date)'")
            }
            days.insert(day)
        }
        holidays = days
    }

    /// What the clocks show, as milliseconds since they showed the first moment of 1970.
    func local(_ milliseconds: Int64) -> Int64 {
        // Offsets are told of times that have dates.
        let seconds = Double(min(max(milliseconds, 0), ISOTime.millisecondsMax)) / 1_000
        return milliseconds &+ Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: seconds))) * 1_000
    }

    /// - Parameter local: of ``local(_:)``.
    func isHoliday(local: Int64) -> Bool { holidays.contains(Clock.day(local)) }
}

extension FeatureSchema {
    /// The clock of a validated schema.
    var clock: LocalClock {
        do throws(FeatureError) {
            return try LocalClock(self)
        } catch {
            preconditionFailure("features: \(error.message)")
        }
    }
}
