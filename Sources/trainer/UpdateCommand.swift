import ArgumentParser
import Catalog
import Foundation
import Snapshots
import Training

/// `trainer update --data DIR --store STORE`: newer rows to an incremental snapshot.
struct UpdateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Let a snapshot's embeddings of users, items and authors follow newer clicks; publish what changed.",
        discussion: """
            Goes once, in the log's order, through the rows that are newer than the snapshot. Dense layers and all other \
            components stay as they are; only the two-tower model's component, its training state and the item vectors \
            are new. Users and items that the snapshot does not know wait for the next `trainer train`. Prints the \
            version of the new snapshot on standard output.
            """)

    @Option(help: "Directory of a data set with the newer rows; older ones in it do no harm.")
    var data: String

    @Option(help: "Directory of the snapshot store.")
    var store: String

    @Option(help: "Version to start from, full or itself an update; the newest when left out.")
    var version: String?

    @Option(help: "Decides everything random.")
    var seed: UInt64 = 1

    @Option(help: "Threads to compute with.")
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "PEM file with the Ed25519 private key to sign the snapshot with; unsigned without.")
    var signingKey: String?

    @Flag(help: "Print the manifest's report as JSON instead of the version.")
    var json = false

    func run() throws {
        // Opening a store makes it; there is nothing to update in a new one.
        guard FileManager.default.fileExists(atPath: store) else {
            throw ValidationError("--store: there is no directory \(store)")
        }
        var options = TrainingOptions()
        options.seed = seed
        options.threads = threads
        try options.validate()
        let key = try signingKey.map(SnapshotKeys.privateKey)
        let update = try IncrementalUpdate(
            of: version, in: SnapshotStore(directory: store), options: options, progress: .standardError())
        let (manifest, report) = try update.run(Dataset(directory: data), signingKey: key)
        print(json ? try report.json() : manifest.version)
    }
}
