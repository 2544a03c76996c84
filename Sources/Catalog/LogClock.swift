/// Tells times as a snapshot's log would.
///
/// A log may end long before its snapshot is made: public data sets are years old. Items would then all be aged, and all counts of
/// the last hour or week be none, as they never were in training. For such a snapshot what happened since is told as if the
/// snapshot had been made when its log ended. A log that is at most two days old is told of as it is.
public struct LogClock: Hashable, Sendable {
    /// End of the log, milliseconds since 1970.
    public let dataUntil: Int64
    /// By how much later times are told earlier.
    public let shift: Int64

    /// A log that is older than this, when its snapshot is made, is an old one.
    private static let freshMilliseconds: Int64 = 2 * 24 * 3_600_000

    /// - Parameters:
    ///   - dataUntil: end of the log, milliseconds since 1970.
    ///   - made: when the snapshot was made; nil tells times as they are.
    public init(dataUntil: Int64, made: Int64? = nil) {
        self.dataUntil = dataUntil
        let gap = made.map { $0.subtractingReportingOverflow(dataUntil) }
        guard let gap, !gap.overflow, gap.partialValue > Self.freshMilliseconds else {
            shift = 0
            return
        }
        shift = gap.partialValue
    }

    /// A time after the log's end, on the log's clock; never before its end. Others are as they are.
    public func callAsFunction(_ milliseconds: Int64) -> Int64 {
        milliseconds > dataUntil ? max(milliseconds &- shift, dataUntil) : milliseconds
    }
}
