/// Where a server listens and what it allows.
public struct ServerConfiguration: Sendable {
    /// Address to listen on; loopback unless told otherwise.
    public var host = "127.0.0.1"
    /// 0 lets the system choose.
    public var port = 0
    public var limits = HTTP2Limits()
    public var timing = ConnectionTiming()
    /// Connections of one event loop: each costs some 30 KiB.
    public var connectionsPerLoopMax = 4096
    /// Handlers of one event loop that may be under way at a time. They take turns on one core.
    public var runningCallsPerLoopMax = 1024
    /// Calls of one event loop that may wait for one of them to end.
    public var waitingCallsPerLoopMax = 1024
    /// Nil serves in the clear.
    public var tls: ServerTLS?

    public init() {}

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
