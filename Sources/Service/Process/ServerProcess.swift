public import Logging
import Messages
public import RPC
public import ServiceLifecycle
import UnixSignals

/// The frame of every server process: one RPC server with health and reflection, drained on SIGTERM or SIGINT.
public struct ServerProcess: Sendable {
    /// How long calls in flight may go on after SIGTERM: longer than any request's deadline.
    public static let drainTime = Duration.seconds(10)

    public let configuration: ClusterConfiguration
    public let member: ClusterConfiguration.Member
    public let logger: Logger

    public init(configuration: ClusterConfiguration, member: ClusterConfiguration.Member, logLevel: Logger.Level) {
        self.configuration = configuration
        self.member = member
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: member.name)
        logger.logLevel = logLevel
        self.logger = logger
    }

    /// Serves until the process is told to stop.
    ///
    /// - Parameters:
    ///   - services: what the process offers beside health and reflection.
    ///   - background: runs beside the server, and is told to stop with it; it may end before.
    ///   - ready: returns once requests can be answered; health says "not serving" until then.
    public func run(
        services: [any RPCService], background: [any ServiceLifecycle.Service] = [],
        ready: @escaping @Sendable () async throws -> Void = {}
    ) async throws {
        let names = services.map { type(of: $0).serviceName }
        let health = HealthService(services: names)
        let reflection = ReflectionService(
            services: names + [HealthService.serviceName, ReflectionService.serviceName])
        let server = Server(
            configuration: try serverConfiguration(), services: services + [health, reflection], logger: logger)
        let listener = Listener(server: server, health: health, ready: ready, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: background.map {
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: $0, successTerminationBehavior: .ignore)
                } + [
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: listener, successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    private func serverConfiguration() throws -> ServerConfiguration {
        let (host, port) = try Self.split(member.address)
        var server = ServerConfiguration(host: host, port: port)
        server.tls = configuration.tls.map {
            ServerTLS(
                certificateChain: $0.certificate, privateKey: $0.key, clientAuthorities: $0.clientAuthority)
        }
        return server
    }

    /// "host:port", or "[v6]:port"; the configuration has checked it.
    private static func split(_ address: String) throws -> (host: String, port: Int) {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]) else {
            throw ConfigurationError(place: address, message: "is not host:port")
        }
        return (String(address[..<colon].trimmingPrefix("[").replacing("]", with: "")), port)
    }
}

extension ClusterConfiguration {
    /// How processes of this cluster, and its tools, call each other.
    public var client: ClientConfiguration {
        var client = ClientConfiguration()
        client.tls = tls.map {
            ClientTLS(authorities: $0.authority, certificateChain: $0.certificate, privateKey: $0.key)
        }
        return client
    }
}

/// Holds the listening socket open, and closes it in good order.
private struct Listener: ServiceLifecycle.Service {
    let server: Server
    let health: HealthService
    let ready: @Sendable () async throws -> Void
    let logger: Logger

    func run() async throws {
        _ = try await server.start()
        try await cancelWhenGracefulShutdown {
            do { try await ready() } catch is CancellationError { return }
            health.set(.serving)
            logger.info("serving")
            try? await gracefulShutdown()
        }
        health.set(.notServing)
        await server.shutdown(within: ServerProcess.drainTime)
    }
}
