import NIOCore

/// One replica's address.
struct Target: Sendable, Hashable {
    var host: String
    var port: Int

    /// "host:port", or "[v6]:port".
    init(_ text: String) throws(RPCError) {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
            let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port)
        else { throw RPCError(.invalidArgument, "'\(text)' is not host:port") }
        var host = text[..<colon]
        if host.first == "[" && host.last == "]" { host = host.dropFirst().dropLast() }
        self.host = String(host)
        self.port = port
    }

    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Opens a connection for a client; the adapter behind it moves the bytes.
protocol Connector: Sendable {
    /// Names the server in requests.
    var authority: String { get }
    var isEncrypted: Bool { get }

    /// Starts to connect, on the executor's loop, and moves `connection`'s bytes from then on. When that fails, or
    /// when the connection ends, the connection is told so by `connectionLost`.
    func connect(_ connection: ClientConnection, on executor: LoopExecutor, timeout: TimeAmount)
}
