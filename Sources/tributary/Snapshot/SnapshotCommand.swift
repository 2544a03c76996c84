import ArgumentParser
import Service
import Snapshots

/// What is published, what is served, and the switch between them.
struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "List, publish, commit, roll back, verify and inspect snapshots.",
        subcommands: [
            SnapshotListCommand.self, SnapshotPublishCommand.self, SnapshotCommitCommand.self,
            SnapshotRollbackCommand.self, SnapshotVerifyCommand.self, SnapshotInspectCommand.self,
        ])
}

/// The cluster whose snapshots are meant.
struct SnapshotOptions: ParsableArguments {
    @Option(help: "The cluster's configuration.")
    var config = "cluster/local.yaml"

    func cluster() throws -> ClusterConfiguration {
        try ClusterConfiguration(file: config)
    }

    /// The store, for commands that read its files themselves.
    func store() throws -> SnapshotStore {
        try SnapshotStore(directory: cluster().store)
    }
}

extension SnapshotStore {
    /// The version named, or the newest when none is.
    func resolve(_ version: String?) throws -> String {
        if let version { return try manifest(version).version }
        guard let newest = try versions().last else {
            throw SnapshotError(.missing, "there is no snapshot in \(directory)")
        }
        return newest
    }
}
