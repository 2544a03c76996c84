import ArgumentParser
import Foundation
import Logging
import Models
import Orchestration
import RPC
import Ranking
import Snapshots

/// Serves the newest snapshot of a store as the ranker's process does, until its standard input ends.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve the Rank call; prints the port.")

    @Option(help: "Where the store is.") var directory: String
    @Option(help: "Port on the loopback address; 0 lets the system choose.") var port = 0

    func run() async throws {
        let logger = Logger(label: "rank-bench") { StreamLogHandler.standardError(label: $0) }
        let store = try SnapshotStore(directory: "\(directory)/store")
        let filter = ComponentFilter(kinds: Ranker.componentKinds, optional: Ranker.optionalKinds)
        let feed = StatisticsFeed()
        let host = try SnapshotHost(
            SnapshotHostConfiguration(role: "ranker", cacheDirectory: "\(directory)/cache", filter: filter),
            source: DirectorySource(store), logger: logger
        ) { snapshot in
            let ranker = try Ranker(snapshot, fusion: nil)
            feed.attach(ranker)
            return ranker
        }
        guard let version = try store.versions().last else {
            throw ValidationError("--directory: there is no snapshot in \(store.directory)")
        }
        _ = try await host.prepare(version)
        try await host.commit(version)
        let server = Server(
            configuration: ServerConfiguration(host: "127.0.0.1", port: port),
            services: [RankingService(snapshots: SnapshotAccess(host), feed: feed)], logger: logger)
        FileHandle.standardOutput.write(Data("\(try await server.start())\n".utf8))
        await Task.detached { while readLine() != nil {} }.value
        await server.shutdown(within: .seconds(2))
    }
}
