package import NIOCore

/// The moment by which a call must be answered, on this machine's monotonic clock.
///
/// It travels as what is left of it, so that clocks of two machines are never compared.
public struct Deadline: Sendable, Hashable, Comparable {
    package let instant: NIODeadline

    package init(_ instant: NIODeadline) {
        self.instant = instant
    }

    /// `timeout` from now; never, for timeouts of years.
    public init(timeout: Duration) {
        self.init(timeout: TimeAmount(timeout), now: .now())
    }

    package init(timeout: TimeAmount, now: NIODeadline) {
        self.init(timeout < .hours(24 * 365) ? now + timeout : .distantFuture)
    }

    /// Never passes.
    public static var distantFuture: Deadline { Deadline(.distantFuture) }

    /// Time left; zero when it has passed.
    public var remaining: Duration {
        guard self != .distantFuture else { return .nanoseconds(Int64.max) }
        return .nanoseconds(max(0, (instant - .now()).nanoseconds))
    }

    public var hasPassed: Bool {
        self != .distantFuture && instant <= .now()
    }

    public static func < (left: Deadline, right: Deadline) -> Bool {
        left.instant < right.instant
    }
}
