import ArgumentParser
import Foundation
import Models
import Training

/// What models are trained with, whatever becomes of them.
struct ModelOptions: ParsableArguments {
    @Option(help: "Decides everything random.")
    var seed: UInt64 = 1

    @Option(
        help: """
            Times the two-tower model goes through the log, and the pre-ranker and the ranker at most: they stop when the \
            last rows are predicted no better; by default 4, 5 and the specification's.
            """)
    var epochs: Int?

    @Option(
        help: """
            JSON file with what the models' specification says differently from the default, which \
            `trainer specification` prints.
            """)
    var specification: String?

    @Option(help: "Dimension of user and item vectors; the specification's when left out.")
    var dimension: Int?

    @Option(help: "Threads to compute with.")
    var threads = ProcessInfo.processInfo.activeProcessorCount

    func trainingOptions() throws -> TrainingOptions {
        var options = TrainingOptions()
        if let specification { options.specification = try ModelSpecification(path: specification) }
        options.seed = seed
        options.twoTowerEpochs = epochs ?? options.twoTowerEpochs
        options.preRankerEpochs = epochs ?? options.preRankerEpochs
        if let epochs { options.specification.ranker.training.epochs = epochs }
        options.dimension = dimension
        options.threads = threads
        return options
    }
}
