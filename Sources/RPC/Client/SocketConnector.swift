import NIOCore
import NIOPosix
import NIOSSL

/// Connects to one address by TCP, with TLS if configured.
struct SocketConnector: Connector {
    /// What all connections of a client share.
    struct Security: Sendable {
        let context: NIOSSLContext?
        let serverName: String?

        init(_ tls: ClientTLS?) throws(RPCError) {
            context = try tls?.context()
            serverName = tls?.serverName
        }
    }

    private let target: Target
    private let security: Security

    init(_ target: Target, _ security: Security) {
        self.target = target
        self.security = security
    }

    var authority: String { target.authority }
    var isEncrypted: Bool { security.context != nil }

    func connect(_ connection: ClientConnection, on executor: LoopExecutor, timeout: TimeAmount) {
        // The connection never leaves its loop: the bootstrap calls back on it.
        let bound = NIOLoopBound(connection, eventLoop: executor.loop)
        ClientBootstrap(group: executor.loop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let handler = try encryption() { try channel.pipeline.syncOperations.addHandler(handler) }
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionHandler(bound.value, executor: executor) {
                            $0.connectionLost(RPCError(.unavailable, "the connection to \(authority) was lost"))
                        })
                }
            }
            .connect(host: target.host, port: target.port)
            .whenFailure { error in
                executor.batch {
                    bound.value.connectionLost(
                        RPCError(.unavailable, "no connection to \(authority): \(error)", cause: error))
                }
            }
    }

    private func encryption() throws -> NIOSSLClientHandler? {
        guard let context = security.context else { return nil }
        let name = security.serverName ?? target.host
        // TLS names servers by DNS name only; for a bare address the certificate must list the address.
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name)
    }
}
