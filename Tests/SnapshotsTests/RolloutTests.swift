import Blobs
import Foundation
import Kernels
import Messages
import RPC
import Snapshots
import Synchronization
import Testing

/// Several hosts in one process, moved by a controller.
@Suite struct RolloutTests {
    let directory: TemporaryDirectory
    let store: SnapshotStore
    let first: String

    init() throws {
        directory = try TemporaryDirectory()
        store = try SnapshotStore(directory: directory.file("store"))
        first = try World(rows: 1000).publish(into: store).version
    }

    /// A node whose connection can be cut, and which can be told to refuse.
    final class TestNode: SnapshotNode {
        let host: SnapshotHost<Loaded>
        let isDown = Atomic(false)
        let refusal = Mutex<SnapshotError?>(nil)
        let calls = Mutex<[String]>([])

        init(_ host: SnapshotHost<Loaded>) { self.host = host }

        private func reach(_ call: String) throws(SnapshotError) {
            calls.withLock { $0.append(call) }
            if isDown.load(ordering: .relaxed) { throw SnapshotError(.unreachable, "connection refused") }
        }
        func prepare(_ version: String) async throws(SnapshotError) -> PreparedSnapshot {
            try reach("prepare")
            if let refusal = refusal.withLock({ $0 }) { throw refusal }
            return try await host.prepare(version)
        }
        func commit(_ version: String) async throws(SnapshotError) -> String? {
            try reach("commit")
            return try await host.commit(version)
        }
        func retire(_ version: String) async throws(SnapshotError) -> Bool {
            try reach("retire")
            return try await host.retire(version)
        }
        func status() async throws(SnapshotError) -> SnapshotNodeState {
            try reach("status")
            return await host.status()
        }
    }

    struct Cluster {
        var shards: [TestNode]
        var entry: TestNode
        var all: [TestNode] { shards + [entry] }
        var served: [String?] { all.map { $0.host.current?.version } }
    }

    func cluster() throws -> Cluster {
        let source = DirectorySource(store)
        let shards = try (0..<2).map { TestNode(try makeHost(directory, "shard-\($0)", source: source, shard: $0)) }
        return Cluster(shards: shards, entry: TestNode(try makeHost(directory, "entry", source: source)))
    }

    func controller(_ cluster: Cluster, retire: Duration = .seconds(10)) throws -> RolloutController {
        var limits = RolloutLimits()
        limits.retire = retire
        limits.retirePause = .milliseconds(1)
        let nodes =
            cluster.shards.enumerated().map { RolloutNode(name: "shard-\($0)", isEntry: false, node: $1) }
            + [RolloutNode(name: "entry", isEntry: true, node: cluster.entry)]
        return try RolloutController(store: store, nodes: nodes, limits: limits, logger: quiet)
    }

    func publish(_ seed: UInt32) throws -> String {
        try World(vectorSeed: seed, rows: 1000).publish(into: store).version
    }

    /// Collects what a rollout reports.
    final class Events: Sendable {
        let list = Mutex<[RolloutEvent]>([])
        var report: RolloutController.Report { { event in self.list.withLock { $0.append(event) } } }
        var steps: [String] { list.withLock { $0.map { "\($0.phase) \($0.node)\($0.ok ? "" : " failed")" } } }
    }

    @Test func movesAllNodesAndBack() async throws {
        let cluster = try cluster()
        let controller = try controller(cluster)
        try await controller.commit(first)
        #expect(cluster.served == [first, first, first])
        let second = try publish(2)
        let events = Events()
        try await controller.commit(second, report: events.report)
        #expect(cluster.served == [second, second, second])
        #expect(cluster.all.allSatisfy { $0.host.loadedVersions == [second] })
        #expect(controller.state == RolloutState(committed: second, previous: first, rollout: nil))
        let steps = events.steps
        #expect(steps.prefix(3).sorted() == ["prepare entry", "prepare shard-0", "prepare shard-1"])
        #expect(steps[3] == "decide ")
        #expect(steps[4...5].sorted() == ["commit shard-0", "commit shard-1"])
        #expect(steps[6...7] == ["commit entry", "retire entry"])
        #expect(steps[8...9].sorted() == ["retire shard-0", "retire shard-1"])
        #expect(steps.last == "done ")
        try await controller.rollback()
        #expect(cluster.served == [first, first, first])
        #expect(controller.state.previous == second)
    }

    @Test func aNodeThatCannotPrepareStopsTheRollout() async throws {
        let cluster = try cluster()
        let controller = try controller(cluster)
        try await controller.commit(first)
        let second = try publish(2)
        let component = try store.manifest(second).component("vectors", shard: 1)
        try flipByte(try store.blobPath(component.sha256), at: 100)
        await expectRefusal(
            .conflict, "snapshot \(second) was not committed: shard-1: ", "component vectors/1", component.sha256
        ) {
            try await controller.commit(second)
        }
        #expect(cluster.served == [first, first, first])
        #expect(cluster.all.allSatisfy { $0.host.loadedVersions == [first] })
        #expect(controller.state == RolloutState(committed: first, previous: nil, rollout: nil))
    }

    @Test func aNodeThatIsDownIsSkippedAndCatchesUp() async throws {
        let cluster = try cluster()
        let controller = try controller(cluster)
        try await controller.commit(first)
        let second = try publish(2)
        cluster.shards[1].isDown.store(true, ordering: .relaxed)
        let events = Events()
        try await controller.commit(second, report: events.report)
        #expect(cluster.served == [second, first, second])
        #expect(events.steps.contains("prepare shard-1 failed"))
        #expect(!events.steps.contains("commit shard-1"))
        cluster.shards[1].isDown.store(false, ordering: .relaxed)
        try await controller.commit(second)
        #expect(cluster.served == [second, second, second])
        #expect(controller.state.previous == first)
    }

    @Test func requestsHoldTheirVersionThroughARollout() async throws {
        let cluster = try cluster()
        let controller = try controller(cluster)
        try await controller.commit(first)
        let second = try publish(2)
        let request = Mutex(cluster.entry.host.current)
        let events = Events()
        async let rollout: Void = controller.commit(second, report: events.report)
        while cluster.entry.host.current?.version != second { try await Task.sleep(for: .milliseconds(1)) }
        // The entry node's request is still on the first version: no shard may have let go of it.
        #expect(cluster.shards.allSatisfy { $0.host.pinned(first) != nil })
        request.withLock { $0 = nil }
        try await rollout
        #expect(cluster.shards.allSatisfy { $0.host.pinned(first) == nil })
    }

    @Test func aHeldVersionIsReportedAndTheRolloutEnds() async throws {
        let cluster = try cluster()
        let controller = try controller(cluster, retire: .milliseconds(20))
        try await controller.commit(first)
        let request = cluster.shards[0].host.current
        let events = Events()
        try await controller.commit(try publish(2), report: events.report)
        #expect(events.steps.contains("retire shard-0 failed"))
        #expect(request?.value.version == first)
        #expect(controller.state.rollout == nil)
    }

    @Test func oneRolloutAtATime() async throws {
        let cluster = try cluster()
        let controller = try controller(cluster)
        try await controller.commit(first)
        let second = try publish(2)
        let request = Mutex(cluster.entry.host.current)
        async let rollout: Void = controller.commit(second)
        while controller.state.rollout?.phase != .retiring { try await Task.sleep(for: .milliseconds(1)) }
        await expectRefusal(.conflict, "a rollout of snapshot \(second) is under way") {
            try await controller.commit(first)
        }
        request.withLock { $0 = nil }
        try await rollout
    }

    @Test func refusesWhatCannotBe() async throws {
        let controller = try controller(try cluster())
        await expectRefusal(.missing, "no snapshot 2020") { try await controller.commit("2020") }
        await expectRefusal(.conflict, "no version to go back to") { try await controller.rollback() }
        #expect(controller.state == RolloutState())
    }

    // MARK: The server dies in the middle

    @Test(arguments: ["preparing", "committing", "retiring"])
    func aNewServerEndsWhatADeadOneLeft(_ phase: String) async throws {
        let cluster = try cluster()
        try await controller(cluster).commit(first)
        let second = try publish(2)
        // What is on disk, and on the nodes, when the server dies in this phase: half of the nodes have taken the step.
        _ = try await cluster.shards[0].host.prepare(second)
        if phase != "preparing" {
            for node in cluster.all { _ = try await node.host.prepare(second) }
            try await cluster.shards[0].host.commit(second)
        }
        if phase == "retiring" { for node in cluster.all { try await node.host.commit(second) } }
        let decided = phase != "preparing"
        let state = """
            {"committed": "\(decided ? second : first)", \(decided ? "\"previous\": \"\(first)\"," : "")
             "rollout": {"version": "\(second)", "phase": "\(phase)"}}
            """
        try Data(state.utf8).write(to: URL(filePath: directory.file("store/state.json")))
        let restarted = try controller(cluster)
        try await restarted.resume()
        let expected = decided ? second : first
        #expect(cluster.served == [expected, expected, expected])
        #expect(cluster.all.allSatisfy { $0.host.loadedVersions == [expected] })
        #expect(restarted.state == RolloutState(committed: expected, previous: decided ? first : nil, rollout: nil))
        #expect(try controller(cluster).state == restarted.state)
    }

    @Test func damagedStateIsRefusedByName() async throws {
        try Data("{".utf8).write(to: URL(filePath: directory.file("store/state.json")))
        let cluster = try cluster()
        await expectRefusal(.corrupt, directory.file("store/state.json")) { _ = try controller(cluster) }
    }
}
