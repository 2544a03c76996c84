import ArgumentParser
import Service
import Snapshots

@main
struct Main {
    static func main() async {
        await Program.run(SnapshotServer.self)
    }
}

struct SnapshotServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot-server",
        abstract: "Serves published snapshots, and moves the cluster from one version to another.")

    @OptionGroup var process: ProcessOptions

    func run() async throws {
        let cluster = try ClusterConfiguration(file: process.config)
        let member = try cluster.member(.snapshotServer)
        let logger = ServiceProcess.logger(member.name, level: process.logLevel)
        let store = try SnapshotStore(directory: cluster.store)
        try store.removeGarbage()
        let controller = try RolloutController(
            store: store, nodes: try cluster.rolloutNodes(), publicKey: try cluster.trustedKey(), logger: logger)
        let service = ServiceProcess(
            member: member, configuration: cluster, logger: logger, services: [SnapshotStoreService(controller)])
        service.reportReady()
        try await service.run(background: [RolloutResumption(controller)])
    }
}
