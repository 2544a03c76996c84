import ArgumentParser
import Service

/// A ranker's snapshot of a generated world, the server of it, and callers.
@main
struct RankBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rank-bench", abstract: "Makes a snapshot for a ranker, serves it, and calls the server.",
        subcommands: [MakeCommand.self, ServeCommand.self, CallCommand.self, HistoryCommand.self])

    static func main() async {
        await Program.run(RankBench.self)
    }
}
