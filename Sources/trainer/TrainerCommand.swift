import ArgumentParser
import Service

@main
struct TrainerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trainer",
        abstract: "Train models on an imported or generated data set and publish them as a snapshot.",
        subcommands: [
            TrainCommand.self, UpdateCommand.self, EvaluateCommand.self, AblateCommand.self, SpecificationCommand.self,
        ])

    static func main() async {
        await Program.run(Self.self)
    }
}
