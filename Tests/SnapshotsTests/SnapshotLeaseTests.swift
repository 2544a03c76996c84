import Foundation
import Snapshots
import Synchronization
import Testing

/// Versions live exactly as long as the requests that hold them.
@Suite struct SnapshotLeaseTests {
    let directory: TemporaryDirectory
    let store: SnapshotStore

    init() throws {
        directory = try TemporaryDirectory()
        store = try SnapshotStore(directory: directory.file("store"))
    }

    /// A host whose values note their version, and the thread they are freed on, when they are freed.
    func host(_ released: Released) throws -> SnapshotHost<Loaded> {
        try makeHost(
            directory, source: DirectorySource(store),
            load: { snapshot in
                let version = snapshot.version
                return try Loaded(snapshot, shard: 0, onRelease: .init { released.note(version) })
            })
    }

    final class Released: Sendable {
        private let notes = Mutex<[(String, String)]>([])
        func note(_ version: String) { notes.withLock { $0.append((version, Thread.current.name ?? "")) } }
        var versions: [String] { notes.withLock { $0.map(\.0) } }
        var threads: [String] { notes.withLock { $0.map(\.1) } }
    }

    final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }

    @Test func aHeldVersionOutlivesItsRetirement() async throws {
        let released = Released()
        let host = try host(released)
        let first = try World(rows: 100).publish(into: store).version
        let second = try World(vectorSeed: 2, rows: 100).publish(into: store).version
        _ = try await host.prepare(first)
        try await host.commit(first)
        var request: PinnedSnapshot<Loaded>? = host.current
        _ = try await host.prepare(second)
        try await host.commit(second)
        #expect(try await host.retire(first) == false)
        #expect(host.pinned(first) == nil)
        #expect(request?.value.version == first && released.versions.isEmpty)
        #expect(await host.status().loaded == [first, second])
        request = nil
        #expect(released.versions.isEmpty, "the request's own thread must not free it")
        #expect(try await host.retire(first) == true)
        #expect(released.versions == [first])
        #expect(released.threads.allSatisfy { $0.hasPrefix("snapshots") }, "\(released.threads)")
        #expect(host.loadedVersions == [second])
        await expectRefusal(.conflict, "snapshot \(second) is the one being served") {
            _ = try await host.retire(second)
        }
    }

    @Test func theVersionBeforeStaysOnDiskForARollback() async throws {
        let host = try host(Released())
        var versions: [String] = []
        for seed in 1...3 as ClosedRange<UInt32> {
            versions.append(try World(vectorSeed: seed, rows: 100).publish(into: store).version)
            _ = try await host.prepare(versions[versions.count - 1])
            try await host.commit(versions[versions.count - 1])
            if versions.count > 1 { #expect(try await host.retire(versions[versions.count - 2])) }
        }
        #expect(try directory.names("cache/manifests") == versions.suffix(2).map { "\($0).json" })
        #expect(try directory.names("cache/components").count == 3)
        try FileManager.default.removeItem(atPath: directory.file("store"))
        #expect(try await host.prepare(versions[1]).fetchedBytes == 0)
        #expect(try await host.commit(versions[1]) == versions[2])
    }

    @Test func aDrainingVersionCanComeBack() async throws {
        let released = Released()
        let host = try host(released)
        let first = try World(rows: 100).publish(into: store).version
        let second = try World(vectorSeed: 2, rows: 100).publish(into: store).version
        for version in [first, second] {
            _ = try await host.prepare(version)
            try await host.commit(version)
        }
        let request = host.pinned(first)
        #expect(try await host.retire(first) == false)
        _ = try await host.prepare(first)
        #expect(host.pinned(first) === request)
        try await host.commit(first)
        #expect(released.versions.isEmpty)
    }

    @Test func requestsNeverSeeAVersionFreed() async throws {
        let released = Released()
        let host = try host(released)
        var versions: [String] = []
        for seed in 1...4 as ClosedRange<UInt32> {
            versions.append(try World(vectorSeed: seed, rows: 100).publish(into: store).version)
        }
        _ = try await host.prepare(versions[0])
        try await host.commit(versions[0])
        let done = Flag()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var served = 0
                    while !done.isSet {
                        let snapshot = try #require(host.current)
                        #expect(snapshot.value.version == snapshot.version)
                        #expect(!released.versions.contains(snapshot.version))
                        served += 1
                        await Task.yield()
                    }
                    return served
                }
            }
            for version in versions.dropFirst() {
                _ = try await host.prepare(version)
                let before = try #require(try await host.commit(version))
                while try await !host.retire(before) { await Task.yield() }
            }
            done.set()
            for try await served in group { #expect(served > 0) }
        }
        #expect(released.versions == versions.dropLast())
    }

    @Test func preparingTwiceAtOnceLoadsOnce() async throws {
        let loads = Mutex(0)
        let version = try World(rows: 100).publish(into: store).version
        let host = try makeHost(
            directory, source: DirectorySource(store),
            load: { snapshot in
                loads.withLock { $0 += 1 }
                return try Loaded(snapshot, shard: 0)
            })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await host.prepare(version) } }
            try await group.waitForAll()
        }
        #expect(loads.withLock { $0 } == 1)
    }
}
