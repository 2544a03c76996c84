import ArgumentParser
import Catalog
import Foundation
import Training

/// `trainer ablate --data DIR`: what each block of the ranker gives.
struct AblateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ablate",
        abstract: "Train the ranker with each of its blocks on and off, by one seed, and print one table.",
        discussion: """
            Each variant is trained on the log up to a moment and asked about what came after it. A block that the \
            specification has is taken out, one that it has not is put in; a variant that the net or the features cannot \
            have is left out, and said to be before any is trained. Nothing is published.
            """)

    @Option(help: "Directory of a data set, as `tributary import` or `tributary generate` writes it.")
    var data: String

    @Option(help: "Share of the log, its last part, that is held back.")
    var evaluateSplit = 0.2

    @OptionGroup var training: ModelOptions

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func validate() throws {
        guard (0.01...0.9).contains(evaluateSplit) else {
            throw ValidationError("--evaluate-split: expected 0.01 to 0.9, found \(evaluateSplit)")
        }
    }

    func run() throws {
        let report = try RankingTrial(
            Dataset(directory: data), fraction: evaluateSplit, options: training.trainingOptions(),
            progress: .standardError()
        ).ablation()
        print(json ? try report.json() : report.text)
    }
}
