import ArgumentParser
import Catalog
import Simulation

/// `tributary generate --output DIR`: makes a data set of an invented world.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Generate a data set: invented users with hidden tastes, items, showings, clicks and watch time.",
        discussion: "Equal options give equal data sets on every machine.")

    @Option(help: "Directory of the data set; a data set that is there is replaced.")
    var output: String

    @Option(help: "Number of users.")
    var users = WorldConfiguration().users

    @Option(help: "Number of items.")
    var items = WorldConfiguration().items

    @Option(help: "Number of showings in the log.")
    var impressions = WorldConfiguration().impressions

    @Option(help: "Days that the log spans.")
    var days = WorldConfiguration().days

    @Option(help: "Seed of everything random.")
    var seed = WorldConfiguration().seed

    func run() throws {
        var configuration = WorldConfiguration()
        configuration.users = users
        configuration.items = items
        configuration.impressions = impressions
        configuration.days = days
        configuration.seed = seed
        try configuration.validate()
        try Dataset.checkReplaceable(output)
        let bar = ProgressLine()
        let dataset = try World(configuration).log { bar.show("showings", fraction: $0) }
        bar.finish()
        try dataset.write(to: output)
        print(dataset.summary(at: output))
    }
}
