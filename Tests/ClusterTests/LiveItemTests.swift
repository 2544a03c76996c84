import Foundation
import Testing

/// Items added to a running cluster, by the tool and over the wire.
@Suite(.serialized) struct LiveItemTests {
    private static let pagesMax = 10

    @Test(.timeLimit(.minutes(10)))
    func anAddedItemIsRecommendedOnceAndSurvivesARestart() async throws {
        let cluster = try LocalCluster()
        try #require(cluster.lastUp.status == 0, "\(cluster.lastUp.output)\n\(cluster.lastUp.errors)")
        let added = try add(
            cluster,
            ["--item", "fresh", "--title", "Just in", "--category", "music", "--author", "1", "--price", "9.5"])
        #expect(added.status == 0 && added.output.contains("1 accepted, 0 rejected"), "\(added)")
        let again = try add(cluster, ["--item", "1"])
        #expect(again.status == 2 && again.errors.contains("has the item"), "\(again)")

        let channels = try #require(try pageWithFresh(cluster, user: try cluster.sampleUser()))
        #expect(channels.contains("newest") && channels.contains("new-item"))
        for _ in 0..<Self.pagesMax {
            let page = try cluster.page(user: try cluster.sampleUser())
            #expect(!page.items.contains { $0.itemId == "fresh" }, "it was shown")
        }

        // The shards are killed; what they were given is on their disks.
        let shards = ["recall-shard-0-0", "recall-shard-1-0"]
        for shard in shards { try cluster.crash(shard) }
        let restarted = try shards.map { try cluster.start($0) }
        defer { for process in restarted { process.terminate() } }
        let status = try Command.run(
            binary: "tributary", ["status", "--config", cluster.configuration, "--wait", "60"])
        #expect(status.status == 0, "\(status)")
        // The orchestrator notices that they are back when it next tries them.
        for _ in 0..<100 {
            if try Command.run(
                binary: "tributary", ["recommend", "--explain", "--address", cluster.orchestrator, "--user", "3"]
            ).output.contains("2 of 2 shards") {
                break
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(try pageWithFresh(cluster, user: "2") != nil)
    }

    private func add(_ cluster: LocalCluster, _ arguments: [String]) throws -> Command.Outcome {
        try Command.run(binary: "tributary", ["items", "add", "--address", cluster.orchestrator] + arguments)
    }

    /// The channels that found the added item, on the first of a user's next pages that has it.
    private func pageWithFresh(_ cluster: LocalCluster, user: String) throws -> [String]? {
        for _ in 0..<Self.pagesMax {
            let page = try cluster.page(user: user)
            if let item = page.items.first(where: { $0.itemId == "fresh" }) { return item.channels }
        }
        return nil
    }
}
