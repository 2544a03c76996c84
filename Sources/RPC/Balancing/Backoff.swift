package import NIOCore

/// How long to wait between attempts to connect to one replica.
///
/// As in gRPC's connection back-off protocol (doc/connection-backoff.md), but for the longest wait, which there is two
/// minutes: the replicas of a cluster are few and near, an attempt costs them nothing, and one that has been restarted is
/// to be used at once.
public struct BackoffConfiguration: Sendable, Hashable {
    /// Time from the start of the first failed attempt to the start of the second.
    public var initial: Duration = .seconds(1)
    /// Growth of the wait after each further failure, at least 1.
    public var multiplier = 1.6
    /// Longest wait before jitter.
    public var maximum: Duration = .seconds(2)
    /// Share by which each wait is randomly shortened or lengthened, 0...1, so that clients do not return all at once.
    public var jitter = 0.2
    /// Shortest time that one attempt gets before it is given up.
    public var connectTimeoutMinimum: Duration = .seconds(20)

    public init() {}
}

/// The waits of one replica: when an attempt to connect may start and when it has taken too long.
///
/// As in gRPC a wait counts from the *start* of the failed attempt, so that an attempt that took long to fail is followed
/// by the next one at once.
package struct Backoff: Sendable {
    private let configuration: BackoffConfiguration
    /// Wait after the attempt that is under way, before jitter.
    private var wait: Duration
    private var nextAttempt: NIODeadline = .distantPast

    package init(_ configuration: BackoffConfiguration = .init()) {
        precondition(configuration.multiplier >= 1, "a back-off must not shrink")
        precondition((0...1).contains(configuration.jitter), "jitter is a share of the wait")
        self.configuration = configuration
        wait = configuration.initial
    }

    /// Notes that an attempt starts and returns when to give it up.
    package mutating func attemptStarted(
        at now: NIODeadline, using generator: inout some RandomNumberGenerator
    ) -> NIODeadline {
        let jitter = Double.random(in: -configuration.jitter...configuration.jitter, using: &generator)
        nextAttempt = now + TimeAmount(wait * (1 + jitter))
        wait = min(wait * configuration.multiplier, configuration.maximum)
        return max(nextAttempt, now + TimeAmount(configuration.connectTimeoutMinimum))
    }

    /// When the attempt after the failed one may start: never before `now`.
    package func retryTime(after now: NIODeadline) -> NIODeadline {
        max(now, nextAttempt)
    }

    /// Forgets earlier failures: the connection worked.
    package mutating func reset() {
        wait = configuration.initial
        nextAttempt = .distantPast
    }
}
