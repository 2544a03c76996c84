public import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Serves services over TCP.
public final class Server: Sendable {
    private let configuration: ServerConfiguration
    private let eventLoops: EventLoops
    private let logger: Logger
    /// In the order of `eventLoops.executors`.
    let loops: [ServerChannels]
    private let listener = Mutex<(any Channel)?>(nil)

    public init(
        configuration: ServerConfiguration, services: [any RPCService], logger: Logger,
        eventLoops: EventLoops = .shared
    ) {
        self.configuration = configuration
        self.eventLoops = eventLoops
        self.logger = logger
        let router = Router(services: services)
        loops = eventLoops.executors.map { ServerChannels(router, configuration, executor: $0) }
    }

    /// Starts to listen; returns the port.
    public func start() async throws(RPCError) -> Int {
        let tls = try configuration.tls?.context()
        let address = "\(configuration.host):\(configuration.port)"
        do {
            let channel = try await bootstrap(tls).bind(host: configuration.host, port: configuration.port).get()
            listener.withLock { $0 = channel }
            let port = channel.localAddress?.port ?? configuration.port
            logger.info("listening", metadata: ["address": "\(configuration.host):\(port)", "tls": "\(tls != nil)"])
            return port
        } catch {
            throw RPCError(.unavailable, "cannot listen on \(address): \(error)", cause: error)
        }
    }

    private func bootstrap(_ tls: NIOSSLContext?) -> ServerBootstrap {
        ServerBootstrap(group: eventLoops.group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [loops] channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.executor.loop === channel.eventLoop }) else {
                        throw RPCError(.internal, "a connection came on an unknown event loop")
                    }
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try loop.add(channel)
                }
            }
    }

    /// Stops listening, lets calls in flight finish for at most `limit`, then ends what is left.
    public func shutdown(within limit: Duration) async {
        let channel = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        try? await channel?.close()
        let deadline = NIODeadline.now() + TimeAmount(limit)
        await withDiscardingTaskGroup { group in
            for loop in loops {
                group.addTask { await loop.drain(until: deadline) }
            }
        }
        logger.info("stopped")
    }
}
