import ArgumentParser
import Messages
import RPC
import Service

/// Which processes of a cluster answer, and which snapshot each serves.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Ask every process of a cluster for its health and snapshot.",
        discussion: "Exits with 1 when a process does not serve.")

    @Option(help: "The cluster's configuration.")
    var config = "cluster/local.yaml"

    @Option(help: "Seconds to wait until every process serves.")
    var wait = 0

    func run() async throws {
        let cluster = try ClusterConfiguration(file: config)
        let end = ContinuousClock.now + .seconds(wait)
        var reports = try await Self.ask(cluster)
        while !reports.allSatisfy(\.isServing), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(200))
            reports = try await Self.ask(cluster)
        }
        print(
            Table(
                ["process", "address", "health", "snapshot"],
                reports.map { [$0.member.name, $0.member.address, $0.health, $0.snapshot] }
            ).text)
        if !reports.allSatisfy(\.isServing) { throw ExitCode(1) }
    }

    struct Report: Sendable {
        var member: ClusterConfiguration.Member
        var isServing = false
        var health = ""
        var snapshot = ""
    }

    /// All processes at a time, in the configuration's order.
    private static func ask(_ cluster: ClusterConfiguration) async throws -> [Report] {
        try await withThrowingTaskGroup(of: (Int, Report).self) { group in
            for (index, member) in cluster.members.enumerated() {
                group.addTask { (index, try await ask(member, cluster.client)) }
            }
            var reports = cluster.members.map { Report(member: $0) }
            for try await (index, report) in group { reports[index] = report }
            return reports
        }
    }

    private static func ask(
        _ member: ClusterConfiguration.Member, _ configuration: ClientConfiguration
    ) async throws -> Report {
        let client = try Client(targets: [member.address], configuration: configuration)
        var report = Report(member: member)
        let options = CallOptions(timeout: .seconds(2))
        do throws(RPCError) {
            let answer = try await client.unary(HealthMethods.check, Health.HealthCheckRequest(), options: options)
            report.isServing = answer.status == .serving
            report.health = report.isServing ? "serving" : "not serving"
            report.snapshot = try await snapshot(of: member, client, options)
        } catch {
            if report.health.isEmpty { report.health = error.code == .unavailable ? "unreachable" : error.message }
        }
        await client.close()
        return report
    }

    /// What the process serves; for the snapshot server, what the cluster is committed to.
    private static func snapshot(
        of member: ClusterConfiguration.Member, _ client: Client, _ options: CallOptions
    ) async throws(RPCError) -> String {
        if member.role == .snapshotServer {
            return try await client.unary(
                SnapshotStoreMethods.listSnapshots, ListSnapshotsRequest(), options: options
            ).committedVersion
        }
        return try await client.unary(
            SnapshotNodeMethods.nodeStatus, NodeStatusRequest(), options: options
        ).committedVersion
    }
}
