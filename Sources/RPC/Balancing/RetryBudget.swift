package import NIOCore

/// How many calls may be sent twice, by retry or hedge.
public struct RetryBudgetConfiguration: Sendable, Hashable {
    /// Extra attempts allowed per call, 0...1. The default adds at most a fifth to a struggling server's load,
    /// as in Finagle's budget.
    public var ratio = 0.2
    /// Extra attempts allowed per second whatever the traffic, so that a quiet client can retry at all.
    public var perSecondMinimum = 10.0
    /// Most extra attempts saved up, so that an hour of calm does not pay for a storm.
    public var tokensMaximum = 100.0

    public init() {}
}

/// A token bucket that keeps retries and hedges a bounded share of all calls.
///
/// Each call adds `ratio` tokens, each second adds `perSecondMinimum`, and each extra attempt takes one.
/// When everything fails, the load on the servers is then at most `1 + ratio` of the calls made, and does not double.
package struct RetryBudget: Sendable {
    private let configuration: RetryBudgetConfiguration
    private var tokens: Double
    private var refilled: NIODeadline

    package init(_ configuration: RetryBudgetConfiguration = .init(), now: NIODeadline) {
        precondition((0...1).contains(configuration.ratio), "the budget is a share of the calls")
        precondition(configuration.perSecondMinimum >= 0 && configuration.tokensMaximum >= 0, "negative retry budget")
        self.configuration = configuration
        tokens = min(configuration.perSecondMinimum, configuration.tokensMaximum)
        refilled = now
    }

    /// Notes the first attempt of a call.
    package mutating func callStarted() {
        tokens = min(tokens + configuration.ratio, configuration.tokensMaximum)
    }

    /// Takes a token for one extra attempt; false when there is none and the attempt must not be made.
    package mutating func withdraw(now: NIODeadline) -> Bool {
        refill(now: now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    private mutating func refill(now: NIODeadline) {
        let elapsed = now - refilled
        guard elapsed > .zero else { return }
        let seconds = Double(elapsed.nanoseconds) / 1e9
        tokens = min(tokens + seconds * configuration.perSecondMinimum, configuration.tokensMaximum)
        refilled = now
    }
}
