import ArgumentParser
import RPC
import Service
import Snapshots
import Training

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "How good the models are that the cluster serves: the report of their training run.",
        discussion: """
            The figures are of the log that the snapshot was trained on: its held-back last part, before the models were \
            trained on that too. `trainer evaluate --data` evaluates channels that are not published.
            """)

    @Option(help: "The cluster's configuration.")
    var config = "cluster/local.yaml"

    @Option(help: "A published version; what is committed when left out.")
    var version: String?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() async throws {
        let cluster = try ClusterConfiguration(file: config)
        let client = try cluster.client([cluster.snapshotServer])
        let signed = try await RemoteSource(client: client).manifest(version)
        await client.close()
        let manifest = try signed.verified(
            by: cluster.trustedKey(), version: version, origin: "snapshot-server \(cluster.snapshotServer)")
        let report = try manifest.report.decoded(as: TrainingReport.self)
        print(json ? try report.json() : "snapshot   \(manifest.version)\n\(report.text)")
    }
}
