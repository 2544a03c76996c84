import ArgumentParser
import Catalog
import Foundation
import Models
import Snapshots
import Training

/// `trainer train --data DIR --store STORE`: data set to published snapshot.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train the recall and pre-rank models, evaluate them on the log's last part, publish a snapshot.",
        discussion: """
            Prints the version of the snapshot on standard output, progress and the report on standard error. The same \
            data, options and seed give the same models.
            """)

    @Option(help: "Directory of a data set, as `tributary import` or `tributary generate` writes it.")
    var data: String

    @Option(help: "Directory of the snapshot store; made when it is not there.")
    var store: String

    @Option(help: "Shards that items are split over.")
    var shards = 4

    @OptionGroup var models: ModelOptions

    @Option(help: "Share of the log, its last part, held back for the evaluation; 0 skips it.")
    var evaluateSplit = 0.2

    @Option(
        help: """
            Version in the store, or 'latest', whose two-tower model to go on from: once over the rows that are newer than \
            it. Of an incremental update the full run before it is taken.
            """)
    var continueFrom: String?

    @Option(help: "PEM file with the Ed25519 private key to sign the snapshot with; unsigned without.")
    var signingKey: String?

    @Flag(help: "Print the manifest's report as JSON instead of the version.")
    var json = false

    func run() throws {
        var options = try models.trainingOptions()
        options.shards = shards
        options.evaluatedFraction = evaluateSplit
        try options.validate()
        let key = try signingKey.map(SnapshotKeys.privateKey)
        let dataset = try Dataset(directory: data)
        let start = try continueFrom.map(continuedModel)
        let pipeline = try TrainingPipeline(dataset, options: options, progress: .standardError(), continuing: start)
        let (manifest, report) = try pipeline.run(into: SnapshotStore(directory: store), signingKey: key)
        FileHandle.standardError.write(Data("\n\(report.text)\n".utf8))
        print(json ? try report.json() : manifest.version)
    }

    private func continuedModel(_ version: String) throws -> ContinuedModel {
        // Opening a store makes it; there is nothing to go on from in a new one.
        guard FileManager.default.fileExists(atPath: store) else {
            throw ValidationError("--store: there is no directory \(store)")
        }
        return try ContinuedModel(version == "latest" ? nil : version, in: SnapshotStore(directory: store))
    }
}
