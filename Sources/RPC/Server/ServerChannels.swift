import NIOCore

/// A server's connections on one event loop. Confined to that loop.
// Sendable: all state is touched on the executor's loop only.
final class ServerChannels: @unchecked Sendable {
    let executor: LoopExecutor
    let serverLoop: ServerLoop
    private let connectionsMax: Int
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var isDraining = false
    /// Who waits for the last connection to end.
    private var waiters: [() -> Void] = []

    init(_ router: Router, _ configuration: ServerConfiguration, executor: LoopExecutor) {
        self.executor = executor
        serverLoop = ServerLoop(router, configuration, executor: executor)
        connectionsMax = configuration.connectionsPerLoopMax
    }

    /// Serves a channel that has just been accepted.
    func add(_ channel: any Channel) throws {
        let peer = channel.remoteAddress.map(Self.name) ?? "unknown"
        let connection = try makeConnection(peer: peer)
        let handler = ConnectionHandler(connection, executor: executor) { self.remove($0) }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    func makeConnection(peer: String) throws(RPCError) -> ServerConnection {
        guard !isDraining else { throw RPCError(.unavailable, "the server is shutting down") }
        guard connections.count < connectionsMax else {
            throw RPCError(.resourceExhausted, "the server has \(connectionsMax) connections already")
        }
        let connection = try ServerConnection(serverLoop, peer: peer, now: .now())
        connections[ObjectIdentifier(connection)] = connection
        return connection
    }

    func remove(_ connection: ServerConnection) {
        connection.connectionLost()
        connections[ObjectIdentifier(connection)] = nil
        if connections.isEmpty { releaseWaiters() }
    }

    private func releaseWaiters() {
        let ended = waiters
        waiters.removeAll()
        for waiter in ended { waiter() }
    }

    /// Lets the connections finish; returns when they have, or have been ended at the deadline.
    func drain(until deadline: NIODeadline) async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            executor.run {
                self.isDraining = true
                guard !self.connections.isEmpty else { return continuation.resume() }
                let timer = self.executor.loop.assumeIsolated().scheduleTask(deadline: deadline) { self.abandon() }
                self.waiters.append {
                    timer.cancel()
                    continuation.resume()
                }
                for connection in self.connections.values { connection.drain() }
            }
        }
    }

    private func abandon() {
        for connection in connections.values { connection.abandon() }
        // One turn of the loop lets the last frames out; a peer that does not read them is not waited for.
        executor.loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) {
            for connection in self.connections.values { connection.owner?.close() }
            // Closing TLS in good order may take seconds more, which nobody waits for.
            self.releaseWaiters()
        }
    }

    private static func name(_ address: SocketAddress) -> String {
        guard let host = address.ipAddress, let port = address.port else { return address.description }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
