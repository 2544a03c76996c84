import ArgumentParser
import Blobs
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
        let kinds = RecallShardEngine.componentKinds
        let snapshots = try SnapshotProcess(
            member, in: cluster, kinds: kinds,
            logger: ServiceProcess.logger(member.name, level: process.logLevel)
        ) { [shard] snapshot in
            var components: [String: SafetensorsFile] = [:]
            for kind in kinds where snapshot.contains(kind, shard: shard) {
                components[kind] = try snapshot.component(kind, shard: shard)
            }
            return try RecallShardEngine(shard: shard, of: snapshot.manifest.shards, components: components)
        }
        try await snapshots.run(services: [RecallShardService(snapshots: SnapshotAccess(snapshots.host))])
    }
}
