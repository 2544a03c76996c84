import ArgumentParser
import Catalog

/// `tributary import FORMAT:DIR --output DIR`: makes a data set of real logs.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import interaction logs into a data set that the trainer reads.",
        discussion: """
            Formats: \(LogSource.formats.joined(separator: ", ")). csv reads events.csv (user_id, item_id, time, event; \
            optionally value, surface, latitude, longitude, context.NAME), and if they are there items.csv, \
            users.csv and follows.csv. Rows that cannot be used are \
            counted by reason, the first of each shown.
            """)

    @Argument(help: "The logs, as FORMAT:DIR.")
    var source: String

    @Option(help: "Directory of the data set; a data set that is there is replaced.")
    var output: String

    @Option(help: "Hours after a showing within which an action on the item belongs to it.")
    var joinHours: Double = 24

    func validate() throws {
        guard joinHours >= 0, joinHours <= 24 * 366 else {
            throw ValidationError("--join-hours: expected 0 to 8784, found \(joinHours)")
        }
    }

    func run() throws {
        try Dataset.checkReplaceable(output)
        let source = try LogSource(source)
        let bar = ProgressLine()
        let (dataset, report) = try source.read(
            joinWindow: .seconds(joinHours * 3600),
            progress: ImportProgress { path, rows, fraction in
                bar.show("\(path): \(rows) rows", fraction: fraction)
            })
        bar.finish()
        report.lines().forEach { print($0) }
        try dataset.write(to: output)
        print(dataset.summary(at: output))
    }
}

extension Dataset {
    /// One line on what is in the data set.
    func summary(at path: String) -> String {
        let clicks = exposures.actions.count { Actions(rawValue: $0).contains(.click) }
        return "\(path): \(users.count) users, \(items.count) items, \(exposures.count) exposures, \(clicks) clicks"
    }
}
