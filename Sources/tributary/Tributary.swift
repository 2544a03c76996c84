import ArgumentParser
import Service

@main
struct Main {
    static func main() async {
        await Program.run(Tributary.self)
    }
}

struct Tributary: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tributary",
        abstract: "The human's tool for a Tributary cluster.",
        subcommands: [
            RecommendCommand.self,
            EventsCommand.self,
            ItemsCommand.self,
            StatusCommand.self,
            FeaturesCommand.self,
            EvaluateCommand.self,
            SnapshotCommand.self,
            ModelCommand.self,
            ImportCommand.self,
            GenerateCommand.self,
            ClusterCommand.self,
        ])
}
