import ArgumentParser
import Blobs
import Messages
import RPC
import Service
import Snapshots

struct SnapshotPublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Copy a snapshot from another store into this cluster's.",
        discussion:
            "Runs on the machine that holds the cluster's store. Components that are there already stay as they are.")

    @OptionGroup var options: SnapshotOptions

    @Option(help: "Folder of the store that the snapshot was trained into.")
    var from: String

    @Argument(help: "Version; the newest of that store when left out.")
    var version: String?

    func run() async throws {
        guard FileSystem.isDirectory(from) else { throw ValidationError("--from: there is no folder \(from)") }
        let source = try SnapshotStore(directory: from)
        let wanted = try source.resolve(version)
        let copied = try options.store().publish(wanted, from: source, signedBy: options.cluster().trustedKey())
        print("published \(wanted): \(bytes(UInt64(copied))) copied")
        print("serve it with: tributary snapshot commit \(wanted) --config \(options.config)")
    }
}

struct SnapshotCommitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit",
        abstract: "Make the whole cluster serve a version: every process loads it, then all switch.")

    @OptionGroup var options: SnapshotOptions

    @Argument(help: "Version, or 'latest'.")
    var version: String

    func run() async throws {
        let cluster = try options.cluster()
        let client = try cluster.client([cluster.snapshotServer])
        var wanted = version
        if version == "latest" {
            let list = try await client.unary(
                SnapshotStoreMethods.listSnapshots, ListSnapshotsRequest(), options: CallOptions(timeout: .seconds(10)))
            guard let newest = list.snapshots.last else { throw ValidationError("no snapshots are published") }
            wanted = newest.version
        }
        try await follow(
            client.serverStreaming(
                SnapshotStoreMethods.commit, CommitRequest(version: wanted),
                options: CallOptions(timeout: .seconds(3600))))
        await client.close()
    }
}

struct SnapshotRollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to the version that was committed before.")

    @OptionGroup var options: SnapshotOptions

    func run() async throws {
        let cluster = try options.cluster()
        let client = try cluster.client([cluster.snapshotServer])
        try await follow(
            client.serverStreaming(
                SnapshotStoreMethods.rollback, RollbackRequest(), options: CallOptions(timeout: .seconds(3600))))
        await client.close()
    }
}

/// Prints the events of a rollout as they come.
private func follow(_ events: MessageStream<RolloutEvent>) async throws {
    for try await event in events {
        let node = event.node.isEmpty ? "cluster" : event.node
        let time = event.microseconds == 0 ? "" : " (\(event.microseconds / 1000) ms)"
        print("\(event.phase)\t\(node)\t\(event.ok ? "" : "FAILED: ")\(event.message)\(time)")
    }
}
