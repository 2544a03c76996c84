/// How a client reaches the replicas of a service.
public struct ClientConfiguration: Sendable {
    public var limits = HTTP2Limits()
    public var timing = ConnectionTiming()
    public var balancing = BalancingConfiguration()
    public var attempts = AttemptConfiguration()
    public var retryBudget = RetryBudgetConfiguration()
    /// Deadline of calls whose options name none.
    public var defaultTimeout: Duration = .seconds(60)
    /// Calls of one event loop that may wait for a first connection; more are refused.
    public var waitingCallsMax = 1024
    /// Nil sends in the clear.
    public var tls: ClientTLS?

    public init() {}
}
