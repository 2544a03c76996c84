import ArgumentParser
import Orchestration
import Ranking
import Service
import Snapshots

@main
struct Main {
    static func main() async {
        await Program.run(RankerCommand.self)
    }
}

struct RankerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ranker", abstract: "Score candidates for one user at a time: the ranking stage.")

    @OptionGroup var process: ProcessOptions

    @Option(help: "Which of the rankers, counted from 0.")
    var replica = 0

    func run() async throws {
        let cluster = try ClusterConfiguration(file: process.config)
        let member = try cluster.member(.ranker, replica: replica)
        let fusion = cluster.funnel.fusion
        let feed = StatisticsFeed()
        let snapshots = try SnapshotProcess(
            member, in: cluster, kinds: Ranker.componentKinds, optional: Ranker.optionalKinds,
            logger: ServiceProcess.logger(member.name, level: process.logLevel), remark: { $0.remark }
        ) { snapshot in
            let ranker = try Ranker(snapshot, fusion: fusion)
            feed.attach(ranker)
            return ranker
        }
        try await snapshots.run(
            services: [RankingService(snapshots: SnapshotAccess(snapshots.host), feed: feed)])
    }
}
