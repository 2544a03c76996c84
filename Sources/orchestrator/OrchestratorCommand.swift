import ArgumentParser
import FeatureStore
import Foundation
import Orchestration
import Ranking
import Recall
import Service
import Snapshots

@main
struct Main {
    static func main() async {
        await Program.run(OrchestratorCommand.self)
    }
}

struct OrchestratorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orchestrator", abstract: "Serve the public API: recommend, record events, explain.")

    @OptionGroup var process: ProcessOptions

    @Option(help: "Which of the orchestrators, counted from 0.")
    var replica = 0

    func run() async throws {
        let cluster = try ClusterConfiguration(file: process.config)
        try cluster.checkChannels(file: process.config)
        let member = try cluster.member(.orchestrator, replica: replica)
        let logger = ServiceProcess.logger(member.name, level: process.logLevel)
        let snapshots = try SnapshotProcess(
            member, in: cluster, kinds: FunnelSnapshot.componentKinds(for: Set(cluster.funnel.channels.keys)),
            logger: logger
        ) { try FunnelSnapshot($0) }
        let service = RecommenderService(
            configuration: OrchestratorConfiguration(cluster), shards: try cluster.recallShards.map(cluster.stage),
            replicas: try cluster.recallShards.map { try $0.map { try cluster.stage([$0]) } },
            ranker: try cluster.stage(cluster.rankers), rankers: try cluster.rankers.map { try cluster.stage([$0]) },
            users: InMemoryUserStateStore(),
            rejected: try cluster.funnel.rejectedLog.map { sizes in
                var log = RejectedLogConfiguration(path: cluster.rejectedLog(of: member))
                (log.perPage, log.bytesMax) = (sizes.perPage, sizes.megabytes << 20)
                return try RejectedLog(log, logger: logger)
            },
            snapshots: SnapshotAccess(snapshots.host),
            now: { Int64((Date().timeIntervalSince1970 * 1000).rounded()) }, logger: logger)
        try await snapshots.run(services: [service])
    }
}

extension ClusterConfiguration {
    /// The replicas of one stage as the orchestrator calls them.
    fileprivate func stage(_ addresses: [String]) throws -> ShardClient {
        ShardClient(client: try client(addresses), address: addresses.joined(separator: ","))
    }
}

extension ClusterConfiguration {
    /// A channel that this build does not have would be asked for at every request, in vain.
    fileprivate func checkChannels(file: String) throws(ConfigurationError) {
        let known = Set(ChannelLoader.all.map(\.name)).union([ChannelName.cache])
        for name in funnel.channels.keys.sorted() where !known.contains(name) {
            throw ConfigurationError(
                place: file,
                message: "funnel.channels.\(name): unknown channel; known here: "
                    + known.sorted().joined(separator: ", "))
        }
    }
}

extension OrchestratorConfiguration {
    fileprivate init(_ cluster: ClusterConfiguration) {
        self.init()
        pageSize = cluster.funnel.pageSize
        channels = cluster.funnel.channels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { ChannelRequest(channel: $0.key, limit: $0.value) }
        let preRank = cluster.funnel.preRank
        cut = PreRankCut(
            keep: preRank.keep, channelMinimum: preRank.channelMinimum, categoryMinimum: preRank.categoryMinimum)
        rankLimit = cluster.funnel.rankLimit
        newItemPlaces = cluster.funnel.newItemPlaces
        requestTimeout = .milliseconds(cluster.deadlines.request)
        recallTimeout = .milliseconds(cluster.deadlines.recall)
        rankTimeout = .milliseconds(cluster.deadlines.rank)
    }
}
