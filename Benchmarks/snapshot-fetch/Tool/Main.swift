import ArgumentParser
import Service

@main
struct Main {
    static func main() async {
        await Program.run(SnapshotFetch.self)
    }
}

/// Both ends of the `snapshot-fetch` benchmark, as processes of their own.
struct SnapshotFetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot-fetch",
        abstract: "Makes a snapshot of realistic tensors, serves it, and fetches it.",
        subcommands: [MakeCommand.self, ServeCommand.self, FetchCommand.self])
}
