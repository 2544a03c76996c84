import ArgumentParser
import Blobs
import Logging
import Orchestration
import Recall
import Service
import Snapshots

@main
struct Main {
    static func main() async {
        await Program.run(RecallShardCommand.self)
    }
}

struct RecallShardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall-shard",
        abstract: "Serve one shard of the items: every recall channel in one call.")

    @OptionGroup var process: ProcessOptions

    @Option(help: "Which shard, counted from 0.")
    var shard: Int

    @Option(help: "Which of the shard's replicas, counted from 0.")
    var replica = 0

    func run() async throws {
        let cluster = try ClusterConfiguration(file: process.config)
        let member = try cluster.member(.recallShard, shard: shard, replica: replica)
        // What is off need not be in the snapshot, and takes no memory.
        let kinds = RecallShardEngine.componentKinds(for: Set(cluster.funnel.channels.keys))
        let logger = ServiceProcess.logger(member.name, level: process.logLevel)
        let live = LiveItems(
            journal: LiveItemJournal(path: "\(cluster.directory(of: member))/live-items.jsonl"))
        let restored = try await live.restore()
        logger.info(
            "live items restored",
            metadata: ["items": "\(restored.items)", "unreadable lines": "\(restored.unreadable)"])
        let snapshots = try SnapshotProcess(member, in: cluster, kinds: kinds, logger: logger) { [shard] snapshot in
            var components: [String: SafetensorsFile] = [:]
            for kind in kinds {
                if snapshot.contains(kind, shard: shard) {
                    components[kind] = try snapshot.component(kind, shard: shard)
                } else if snapshot.contains(kind) {
                    components[kind] = try snapshot.component(kind)
                }
            }
            return try RecallShardEngine(
                shard: shard, of: snapshot.manifest.shards, components: components, live: live)
        }
        let service = RecallShardService(
            shard: shard, of: cluster.recallShards.count, snapshots: SnapshotAccess(snapshots.host), live: live)
        try await snapshots.run(services: [service])
    }
}
