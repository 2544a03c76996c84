import Foundation
import Kernels
import Messages
import RPC
import Snapshots
import Testing

/// The services and their clients, over the in-process transport.
@Suite struct SnapshotServiceTests {
    let directory: TemporaryDirectory
    let store: SnapshotStore

    init() throws {
        directory = try TemporaryDirectory()
        store = try SnapshotStore(directory: directory.file("store"))
    }

    /// A snapshot-server that moves these nodes, and a client of it.
    func server(_ nodes: [RolloutNode] = []) throws -> Client {
        let controller = try RolloutController(store: store, nodes: nodes, logger: quiet)
        return InProcessTransport(services: [SnapshotStoreService(controller)])
            .makeClient(configuration: RemoteSource.clientConfiguration)
    }

    func events(_ stream: MessageStream<RolloutEvent>) async throws(RPCError) -> [RolloutEvent] {
        var events: [RolloutEvent] = []
        for try await event in stream { events.append(event) }
        return events
    }

    @Test func fetchesCommitsAndRollsBackOverTheWire() async throws {
        let first = try World().publish(into: store)
        let sourceClient = try server()
        let host = try makeHost(directory, source: RemoteSource(client: sourceClient), shard: 1)
        let nodeClient = InProcessTransport(services: [SnapshotNodeService(host)]).makeClient()
        let client = try server([
            RolloutNode(name: "shard-1", isEntry: false, node: RemoteNode(name: "shard-1", client: nodeClient))
        ])
        let steps = try await events(
            client.serverStreaming(SnapshotStoreMethods.commit, CommitRequest(version: first.version)))
        #expect(steps.map(\.phase) == ["prepare", "decide", "commit", "retire", "done"])
        #expect(steps.allSatisfy { $0.ok })
        let own = try first.component("catalog").compressedSize + first.component("vectors", shard: 1).compressedSize
        #expect(steps[0].message == "fetched \(own) bytes, reused 0")
        #expect(host.current?.version == first.version)

        let second = try World(vectorSeed: 3).publish(into: store)
        _ = try await events(
            client.serverStreaming(SnapshotStoreMethods.commit, CommitRequest(version: second.version)))
        let list = try await client.unary(SnapshotStoreMethods.listSnapshots, ListSnapshotsRequest())
        #expect(list.snapshots.map(\.version) == [first.version, second.version])
        #expect(list.snapshots.map(\.committed) == [false, true] && list.snapshots.map(\.previous) == [true, false])
        #expect(list.snapshots[1].parent == first.version && list.snapshots[1].components == 3)
        #expect(list.snapshots[1].bytes == UInt64(second.size))
        _ = try await events(client.serverStreaming(SnapshotStoreMethods.rollback, RollbackRequest()))
        #expect(host.current?.version == first.version)
        let status = try await nodeClient.unary(SnapshotNodeMethods.nodeStatus, NodeStatusRequest())
        #expect(
            status
                == NodeStatusResponse(
                    role: "recall-shard", committedVersion: first.version, loadedVersions: [first.version]))
    }

    @Test func refusalsKeepTheirCodeAndMessage() async throws {
        let client = try server()
        let missing = await #expect(throws: RPCError.self) {
            _ = try await client.unary(SnapshotStoreMethods.getManifest, GetManifestRequest(version: "2020"))
        }
        #expect(missing?.code == .notFound && missing?.message.contains("no snapshot 2020") == true)
        let none = await #expect(throws: RPCError.self) {
            _ = try await client.unary(SnapshotStoreMethods.getManifest, GetManifestRequest())
        }
        #expect(none?.code == .notFound && none?.message == "no snapshot has been committed yet")
        let host = try makeHost(directory, source: RemoteSource(client: client))
        let nodeClient = InProcessTransport(services: [SnapshotNodeService(host)]).makeClient()
        let node = RemoteNode(name: "shard-0", client: nodeClient)
        await expectRefusal(.missing, "no snapshot 2020") { _ = try await node.prepare("2020") }
        await expectRefusal(.conflict, "snapshot 2020 is not prepared") { try await node.commit("2020") }
    }

    @Test(arguments: [(0, 0, 0), (0, 7, 7), (10, 5, 5), (0, 1 << 40, 0), (100, 0, -100)])
    func servesRangesOfBlobs(_ offset: Int, _ length: Int, _ expected: Int) async throws {
        let component = try World().publish(into: store).component("catalog")
        let blob = try Data(contentsOf: URL(filePath: store.blobPath(component.sha256)))
        let stream = try server().serverStreaming(
            SnapshotStoreMethods.fetchBlob,
            FetchBlobRequest(sha256: component.sha256, offset: UInt64(offset), length: UInt64(length)))
        var bytes = Data()
        for try await chunk in stream {
            #expect(chunk.blobSize == UInt64(blob.count))
            bytes.append(contentsOf: chunk.data)
        }
        #expect(bytes == blob[offset...].prefix(expected > 0 ? expected : blob.count + expected))
    }

    @Test(arguments: [
        ("../../etc/passwd", 0, RPCError.Code.invalidArgument), (String(repeating: "a", count: 64), 0, .notFound),
        ("", 1 << 60, .outOfRange), ("", Int.max, .outOfRange),
    ])
    func refusesRangesThatAreNone(_ name: String, _ offset: Int, _ code: RPCError.Code) async throws {
        let component = try World(rows: 10).publish(into: store).component("catalog")
        let client = try server()
        let refusal = await #expect(throws: RPCError.self) {
            let request = FetchBlobRequest(
                sha256: name.isEmpty ? component.sha256 : name, offset: UInt64(offset), length: 0)
            for try await _ in client.serverStreaming(SnapshotStoreMethods.fetchBlob, request) {}
        }
        #expect(refusal?.code == code)
    }

    @Test func aBlobOfAnotherSizeIsRefusedBeforeItIsFetched() async throws {
        let manifest = try World().publish(into: store)
        let path = try store.blobPath(manifest.component("catalog").sha256)
        let whole = try Data(contentsOf: URL(filePath: path))
        try whole.dropLast(10).write(to: URL(filePath: path))
        let host = try makeHost(directory, source: RemoteSource(client: try server()))
        await expectRefusal(.corrupt, "expected \(whole.count) bytes", "has one of \(whole.count - 10)") {
            _ = try await host.prepare(manifest.version)
        }
        #expect(host.loadedVersions.isEmpty)
    }

    @Test func aServerThatIsAwayIsNotTheEndOfTheNode() async throws {
        let manifest = try World(rows: 1000).publish(into: store)
        do {
            let host = try makeHost(directory, source: DirectorySource(store))
            try await host.catchUp()
        }
        var configuration = RemoteSource.clientConfiguration
        configuration.attempts.attemptsMaximum = 1
        // Port 1 of this machine: nothing listens there.
        let client = try Client(targets: ["127.0.0.1:1"], configuration: configuration)
        let source = RemoteSource(client: client, timeout: .milliseconds(300))
        let host = try makeHost(directory, source: source)
        #expect(await host.restore())
        #expect(host.current?.version == manifest.version)
        let refusal = await #expect(throws: SnapshotError.self) { _ = try await host.catchUp() }
        #expect(refusal?.message.hasPrefix("snapshot-server: ") == true, "\(refusal?.message ?? "")")
        #expect(host.current?.version == manifest.version)
        await client.close()
    }
}
