import ArgumentParser
import Dispatch
import Foundation
import Logging
import Messages
import RPC
import Service

/// Serves the echo, health and reflection services until SIGTERM, then lets calls in flight finish.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve until SIGTERM, then let calls in flight finish.")

    @Option(help: "Port on the loopback address; 0 lets the system choose.")
    var port = 0

    @Option(help: "Event loops; the default is one per core.")
    var loops: Int?

    @Option(help: "PEM file of the certificate; turns on TLS.")
    var certificate: String?

    @Option(help: "PEM file of the certificate's key.")
    var key: String?

    @Option(help: "PEM file of the authority whose clients are let in; turns on mutual TLS.")
    var clientCa: String?

    /// How long calls in flight may take after SIGTERM.
    private static let drainTime: Duration = .seconds(8)

    func validate() throws {
        guard (certificate == nil) == (key == nil) else { throw ValidationError("--certificate and --key go together") }
        guard clientCa == nil || certificate != nil else { throw ValidationError("--client-ca needs --certificate") }
        guard loops ?? 1 > 0 else { throw ValidationError("--loops must be at least 1") }
    }

    func run() async throws {
        var configuration = ServerConfiguration(host: "127.0.0.1", port: port)
        if let certificate, let key {
            configuration.tls = ServerTLS(certificateChain: certificate, privateKey: key, clientAuthorities: clientCa)
        }
        let stopped = TerminationSignal()
        let names = [EchoService.serviceName, HealthService.serviceName, ReflectionService.serviceName]
        let health = HealthService(services: names)
        let server = Server(
            configuration: configuration, services: [EchoService(), health, ReflectionService(services: names)],
            logger: Logger(label: "rpc-echo") { StreamLogHandler.standardError(label: $0) },
            eventLoops: loops.map { EventLoops(count: $0) } ?? .shared)
        let bound = try await server.start()
        health.setAll(.serving)
        FileHandle.standardOutput.write(Data("listening on 127.0.0.1:\(bound)\n".utf8))
        await stopped.wait()
        health.setAll(.notServing)
        await server.shutdown(within: Self.drainTime)
    }
}

/// Turns SIGTERM and SIGINT into something to wait for.
private struct TerminationSignal {
    private let signals: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        self.signals = signals
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            source.activate()
            return source
        }
    }

    func wait() async {
        for await _ in signals { return }
    }
}
