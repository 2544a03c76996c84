import ArgumentParser
import Foundation
import Snapshots
import Training

/// `trainer evaluate --store STORE`: how good a published snapshot is.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Show the figures that a snapshot's training run stored in its manifest.",
        discussion: """
            Prints the report as it is stored; no model is run and no data read. The figures are of the log that the \
            snapshot was trained on: its held-back last part, before the models were trained on that too.
            """)

    @Option(help: "Directory of the snapshot store.")
    var store: String

    @Option(help: "Version of the snapshot; the newest when left out.")
    var version: String?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() throws {
        // Opening a store makes it; looking at one must not.
        guard FileManager.default.fileExists(atPath: store) else {
            throw ValidationError("--store: there is no directory \(store)")
        }
        let store = try SnapshotStore(directory: store)
        guard let version = try version ?? store.versions().last else {
            throw ValidationError("--store: no snapshot in \(self.store)")
        }
        let report = try store.manifest(version).report.decoded(as: TrainingReport.self)
        print(json ? try report.json() : report.text)
    }
}
