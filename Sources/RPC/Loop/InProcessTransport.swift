import NIOCore

/// A client joined to a server's handlers in one process, without sockets. The bytes are those of the wire, through the
/// same connections, so that limits, deadlines, cancellation and encodings mean the same.
public struct InProcessTransport: Sendable {
    private let loops: [ServerChannels]
    private let eventLoops: EventLoops

    public init(
        services: [any RPCService], configuration: ServerConfiguration = .init(), eventLoops: EventLoops = .shared
    ) {
        self.eventLoops = eventLoops
        let router = Router(services: services)
        loops = eventLoops.executors.map { ServerChannels(router, configuration, executor: $0) }
    }

    /// A client whose calls reach the services.
    public func makeClient(configuration: ClientConfiguration = .init()) -> Client {
        Client(
            connectors: [InProcessConnector(loops: loops)], configuration: configuration, eventLoops: eventLoops)
    }

    /// Lets calls in flight finish for at most `limit`, then ends what is left.
    public func shutdown(within limit: Duration) async {
        let deadline = NIODeadline.now() + TimeAmount(limit)
        for loop in loops { await loop.drain(until: deadline) }
    }
}

/// Joins each connection to a server connection on the same event loop.
private struct InProcessConnector: Connector {
    let loops: [ServerChannels]

    var authority: String { "in-process" }
    var isEncrypted: Bool { false }

    func connect(_ connection: ClientConnection, on executor: LoopExecutor, timeout: TimeAmount) {
        guard let channels = loops.first(where: { $0.executor === executor }) else {
            return connection.connectionLost(RPCError(.internal, "the client is on an unknown event loop"))
        }
        do throws(RPCError) {
            let server = try channels.makeConnection(peer: "in-process")
            InProcessPipe(connection, server, channels).flush()
        } catch {
            connection.connectionLost(error)
        }
    }
}

/// Carries bytes between the two sides until both are quiet. Confined to one event loop.
private final class InProcessPipe: HTTP2ConnectionOwner, Flushable {
    private let client: ClientConnection
    private let server: ServerConnection
    private let channels: ServerChannels
    private var buffer = ByteBuffer()
    private var isOpen = true
    private var timerTime: NIODeadline = .distantFuture
    // The connections know their owner weakly; the pipe lives until it is closed.
    private var itself: InProcessPipe?

    init(_ client: ClientConnection, _ server: ServerConnection, _ channels: ServerChannels) {
        self.client = client
        self.server = server
        self.channels = channels
        client.owner = self
        server.owner = self
        itself = self
    }

    func connectionHasOutput() {
        channels.executor.flushLater(self)
    }

    func flush() {
        channels.executor.batch {
            while isOpen && (carry(from: client, to: server) || carry(from: server, to: client)) {}
            if isOpen && (client.isFinished || server.isFinished) { close() }
        }
        if isOpen { watchClock() }
    }

    /// True if there was anything to carry.
    private func carry(from sender: HTTP2Connection, to receiver: HTTP2Connection) -> Bool {
        buffer.clear()
        _ = sender.send(into: &buffer, limit: 64 << 10, now: .now())
        guard buffer.readableBytes > 0 else { return false }
        if !buffer.withUnsafeReadableBytes({ receiver.receive($0, now: .now()) }) { close() }
        return true
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        client.connectionLost(RPCError(.unavailable, "the in-process connection was closed"))
        channels.remove(server)
        itself = nil
    }

    private func watchClock() {
        let next = min(client.nextEvent, server.nextEvent)
        guard next < timerTime else { return }
        timerTime = next
        channels.executor.loop.assumeIsolated().scheduleTask(deadline: next) {
            self.timerTime = .distantFuture
            guard self.isOpen else { return }
            let isAlive = self.channels.executor.batch {
                self.client.advance(to: .now()) && self.server.advance(to: .now())
            }
            if isAlive { self.flush() } else { self.close() }
        }
    }
}
