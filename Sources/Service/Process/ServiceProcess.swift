public import Logging
import Messages
public import RPC
public import ServiceLifecycle
import UnixSignals

/// What every serving process has in common: logging to standard error, health, reflection, and an orderly end.
public struct ServiceProcess: Sendable {
    /// How long calls in flight may take to finish after SIGTERM.
    public static let drainLimit: Duration = .seconds(10)

    public let member: ClusterConfiguration.Member
    public let configuration: ClusterConfiguration
    public let logger: Logger
    public let health: HealthService
    private let services: [any RPCService]

    /// Reads the configuration and finds this process in it. Logging is set up for the whole program, so a program makes
    /// one of these.
    ///
    /// - Parameters:
    ///   - services: what this process serves, beside health and reflection.
    public init(
        member: ClusterConfiguration.Member, configuration: ClusterConfiguration, logger: Logger,
        services: [any RPCService]
    ) {
        self.member = member
        self.configuration = configuration
        self.logger = logger
        let names = Router(services: services).serviceNames
        let health = HealthService(services: names)
        self.health = health
        let reflection = ReflectionService(
            services: names + [HealthService.serviceName, ReflectionService.serviceName])
        self.services = services + [health, reflection]
    }

    /// Health says from now on that the process serves; until then it says that it does not.
    public func reportReady() {
        health.setAll(.serving)
    }

    /// Serves until SIGTERM or SIGINT; then says that it is going, lets calls in flight finish, and returns.
    ///
    /// - Parameter background: runs beside the server and ends after it.
    public func run(background: [any Service] = []) async throws {
        let server = Server(configuration: try serverConfiguration(), services: services, logger: logger)
        let frame = ServerFrame(server: server, health: health)
        var group = ServiceGroupConfiguration(
            services: background + [frame], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = Self.drainLimit * 2
        try await ServiceGroup(configuration: group).run()
    }

    private func serverConfiguration() throws -> ServerConfiguration {
        let (host, port) = try member.hostAndPort()
        var server = ServerConfiguration(host: host, port: port)
        server.tls = configuration.tls.map {
            ServerTLS(certificateChain: $0.certificate, privateKey: $0.key, clientAuthorities: $0.clientAuthority)
        }
        return server
    }
}

/// The server as one service of the process's life.
private struct ServerFrame: Service {
    let server: Server
    let health: HealthService

    func run() async throws {
        _ = try await server.start()
        try await gracefulShutdown()
        health.setAll(.notServing)
        await server.shutdown(within: ServiceProcess.drainLimit)
    }
}

extension ClusterConfiguration.Member {
    func hostAndPort() throws(ConfigurationError) -> (String, Int) {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]) else {
            throw ConfigurationError(place: name, message: "expected host:port, found '\(address)'")
        }
        // "[v6]:port", as clients write it.
        var host = address[..<colon]
        if host.first == "[" && host.last == "]" { host = host.dropFirst().dropLast() }
        return (String(host), port)
    }
}
