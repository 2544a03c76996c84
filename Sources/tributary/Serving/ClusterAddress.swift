import ArgumentParser
import RPC
import Service

/// Which orchestrator a command talks to.
struct ClusterAddress: ParsableArguments {
    @Option(help: "Address of an orchestrator, host:port. Without it and without --config: 127.0.0.1:7100.")
    var address: String?

    @Option(help: "The cluster's configuration; its orchestrators and its TLS settings are used.")
    var config: String?

    @Option(help: "Milliseconds to wait for the answer, 1 to 600000.")
    var timeout = 5000

    func validate() throws {
        guard (1...600_000).contains(timeout) else {
            throw ValidationError("--timeout: expected 1 to 600000 milliseconds, found \(timeout)")
        }
    }

    func client() throws -> Client {
        guard let config else { return try Client(targets: [address ?? "127.0.0.1:7100"]) }
        let cluster = try ClusterConfiguration(file: config)
        return try cluster.client(address.map { [$0] } ?? cluster.orchestrators)
    }

    var options: CallOptions { CallOptions(timeout: .milliseconds(timeout)) }
}
