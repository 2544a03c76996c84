import ArgumentParser
import Service

/// Both ends of the echo service, for tests and benchmarks of the wire. Not a product.
@main
struct RPCEcho: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-echo", abstract: "Both ends of the echo service, for tests and benchmarks of the wire.",
        subcommands: [ServeCommand.self, CallCommand.self])

    static func main() async {
        await Program.run(RPCEcho.self)
    }
}
