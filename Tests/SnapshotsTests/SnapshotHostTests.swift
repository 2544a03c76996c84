import Foundation
import RPC
import Snapshots
import Synchronization
import Testing

@Suite struct SnapshotHostTests {
    let directory: TemporaryDirectory
    let store: SnapshotStore
    let source: FaultySource

    init() throws {
        directory = try TemporaryDirectory()
        store = try SnapshotStore(directory: directory.file("store"))
        source = FaultySource(store)
    }

    @Test func fetchesOnlyItsOwnComponentsAndThenOnlyWhatChanged() async throws {
        let first = try World().publish(into: store)
        let host = try makeHost(directory, source: source, shard: 1)
        #expect(host.current == nil)
        let report = try await host.prepare(first.version)
        let own = try [first.component("catalog"), first.component("vectors", shard: 1)]
        #expect(report.fetchedBytes == own.reduce(0) { $0 + $1.compressedSize } && report.reusedBytes == 0)
        #expect(source.behaviour.withLock { $0.fetched } == Set(own.map(\.sha256)))
        #expect(host.current == nil && host.pinned(first.version) != nil)
        #expect(try await host.commit(first.version) == nil)
        // Sums by hand: of i * 2654435761 mod 2^32 and of (i + 1) * 40503 mod 2^32, computed here without the files.
        let rows = 0..<UInt32(World().rows)
        #expect(host.current?.value.catalogSum == rows.reduce(0) { $0 + UInt64($1 &* 2_654_435_761) })
        #expect(host.current?.value.vectorSum == rows.reduce(0) { $0 + UInt64(($1 &+ 1) &* 40_503) })

        let second = try World(vectorSeed: 3).publish(into: store)
        let delta = try await host.prepare(second.version)
        #expect(try delta.fetchedBytes == second.component("vectors", shard: 1).compressedSize)
        #expect(try delta.reusedBytes == second.component("catalog").compressedSize)
        #expect(host.current?.version == first.version)
        #expect(try await host.commit(second.version) == first.version)
        #expect(host.current?.version == second.version)
        #expect(host.loadedVersions == [first.version, second.version])
    }

    @Test func aBrokenStreamIsResumedWhereItBroke() async throws {
        let manifest = try World().publish(into: store)
        source.behaviour.withLock { $0.breaksAfter = [100_000, 1, 250_000, 299_999, 5] }
        let host = try makeHost(directory, source: source)
        let report = try await host.prepare(manifest.version)
        let size =
            try manifest.component("catalog").compressedSize + manifest.component("vectors", shard: 0).compressedSize
        #expect(report.fetchedBytes == size)
        #expect(source.behaviour.withLock { $0.bytesSent } == size)
        #expect(source.behaviour.withLock { $0.requests } > 5)
        #expect(try directory.names("cache/partial").isEmpty)
    }

    /// A component of three frames, of which the stream brought two and a part, then nothing more.
    private func leaveUnfinished() async throws -> (manifest: SnapshotManifest, sent: Int) {
        let manifest = try World(rows: 3_000_000).publish(into: store)
        let component = try manifest.component("catalog")
        try #require(component.compressedSize > 10_000_000)
        source.behaviour.withLock { $0.breaksAfter = [9_000_000, 900_000, 0, 0, 0, 0, 0, 0] }
        let host = try makeHost(directory, source: source) { $0.fetch.rangeSize = 16 << 20 }
        await expectRefusal(
            .unavailable, manifest.version, "catalog", "at byte 9900000 of \(component.compressedSize)"
        ) {
            _ = try await host.prepare(manifest.version)
        }
        #expect(source.behaviour.withLock { $0.bytesSent } == 9_900_000)
        return (manifest, 9_900_000)
    }

    @Test func anotherProcessContinuesWhatOneLeft() async throws {
        let (manifest, sent) = try await leaveUnfinished()
        let total =
            try manifest.component("catalog").compressedSize + manifest.component("vectors", shard: 0).compressedSize
        let report = try await makeHost(directory, source: source).prepare(manifest.version)
        #expect(source.behaviour.withLock { $0.bytesSent } == sent + report.fetchedBytes)
        // Only the frame that was cut comes again: frames hold 4 MiB, and these bytes do not shrink.
        let again = sent + report.fetchedBytes - total
        #expect(again > 0 && again < 4_300_000)
        #expect(try directory.names("cache/partial").isEmpty)
    }

    @Test(arguments: [("journal", 40), ("journal", 120), ("safetensors", 5_000_000)])
    func whatIsDamagedOfAnUnfinishedFetchCountsAsNothing(_ ending: String, _ offset: Int) async throws {
        let (manifest, _) = try await leaveUnfinished()
        let name = try #require(try directory.names("cache/partial").first { $0.hasSuffix(ending) })
        try flipByte(directory.file("cache/partial/\(name)"), at: offset)
        let host = try makeHost(directory, source: source)
        let report = try await host.prepare(manifest.version)
        let total =
            try manifest.component("catalog").compressedSize + manifest.component("vectors", shard: 0).compressedSize
        #expect(report.fetchedBytes == total)
        let rows = 0..<UInt32(3_000_000)
        #expect(host.pinned(manifest.version)?.value.catalogSum == rows.reduce(0) { $0 + UInt64($1 &* 2_654_435_761) })
    }

    @Test func aDamagedManifestIsFetchedAgain() async throws {
        let manifest = try World().publish(into: store)
        _ = try await makeHost(directory, source: source).prepare(manifest.version)
        let path = directory.file("cache/manifests/\(manifest.version).json")
        let whole = try Data(contentsOf: URL(filePath: path))
        try whole.prefix(100).write(to: URL(filePath: path))
        await expectRefusal(.corrupt, path) {
            _ = try await makeHost(directory, source: nil).prepare(manifest.version)
        }
        _ = try await makeHost(directory, source: source).prepare(manifest.version)
        #expect(try Data(contentsOf: URL(filePath: path)) == whole)
    }

    @Test func aStreamThatKeepsEndingEarlyIsGivenUp() async throws {
        let manifest = try World().publish(into: store)
        source.behaviour.withLock { $0.endsAfter = 0 }
        let host = try makeHost(directory, source: source)
        await expectRefusal(.unavailable, "came to a stop at byte 0", "the stream ended early") {
            _ = try await host.prepare(manifest.version)
        }
        #expect(source.behaviour.withLock { $0.requests } == 6)
    }

    @Test(arguments: [40, 200_000, 900_000])
    func aCorruptBlobIsRefusedAndTheOldVersionServesOn(_ offset: Int) async throws {
        let good = try World().publish(into: store)
        let host = try makeHost(directory, source: source)
        _ = try await host.prepare(good.version)
        try await host.commit(good.version)
        let bad = try World(vectorSeed: 5).publish(into: store)
        let component = try bad.component("vectors", shard: 0)
        try #require(offset < component.compressedSize)
        source.behaviour.withLock { $0.flips = offset }
        await expectRefusal(.corrupt, bad.version, "vectors/0", component.sha256) {
            _ = try await host.prepare(bad.version)
        }
        #expect(host.current?.version == good.version)
        #expect(host.pinned(bad.version) == nil)
        #expect(try directory.names("cache/refused") == ["\(component.sha256).safetensors"])
        #expect(try directory.names("cache/partial").isEmpty)
        let failure = await host.status().failure ?? ""
        #expect(failure.hasPrefix("snapshot \(bad.version) was refused: ") && failure.contains(component.sha256))
        // Whole again: it is fetched from its first byte.
        source.behaviour.withLock { $0.flips = nil }
        #expect(try await host.prepare(bad.version).fetchedBytes == component.compressedSize)
        try await host.commit(bad.version)
        #expect(await host.status().failure == nil)
    }

    /// A process that cannot serve says why for as long as it is so, and what it has no use for when it serves.
    @Test(.timeLimit(.minutes(2))) func whyNothingIsServedIsTold() async throws {
        let host = try makeHost(directory, source: source, remark: { "sums \($0.vectorSum) for nothing" })
        let run = Task { await host.run() }
        defer { run.cancel() }
        while await host.status().failure == nil { try await Task.sleep(for: .milliseconds(1)) }
        let waiting = await host.status()
        #expect(waiting.failure == "cannot catch up: there is no snapshot in \(store.directory)")
        #expect(waiting.committed == nil && waiting.remark == nil)
        let manifest = try World().publish(into: store)
        while host.current == nil { try await Task.sleep(for: .milliseconds(1)) }
        while await host.status().failure != nil { try await Task.sleep(for: .milliseconds(1)) }
        let sum = try #require(host.current).value.vectorSum
        let served = await host.status()
        #expect(served.committed == manifest.version && served.remark == "sums \(sum) for nothing")
        // Over the wire it is the same.
        let client = InProcessTransport(services: [SnapshotNodeService(host)]).makeClient()
        #expect(try await RemoteNode(name: "shard-0", client: client).status() == served)
    }

    /// A process that was told to switch has nothing to complain of, though it could not ask the source before.
    @Test(.timeLimit(.minutes(2))) func aCommitEndsWhatWasInItsWay() async throws {
        let host = try makeHost(directory, source: source) { $0.catchUpInterval = .seconds(3600) }
        let run = Task { await host.run() }
        defer { run.cancel() }
        while await host.status().failure == nil { try await Task.sleep(for: .milliseconds(1)) }
        let manifest = try World().publish(into: store)
        _ = try await host.prepare(manifest.version)
        try await host.commit(manifest.version)
        #expect(await host.status().failure == nil)
    }

    @Test func truncatedAndMissingBlobsAreRefused() async throws {
        let manifest = try World().publish(into: store)
        let path = try store.blobPath(manifest.component("catalog").sha256)
        let whole = try Data(contentsOf: URL(filePath: path))
        let host = try makeHost(directory, source: source)
        try whole.dropLast(10).write(to: URL(filePath: path))
        await expectRefusal(.corrupt, path, "expected \(whole.count) bytes, found \(whole.count - 10)") {
            _ = try await host.prepare(manifest.version)
        }
        try FileManager.default.removeItem(atPath: path)
        await expectRefusal(.missing, path) { _ = try await host.prepare(manifest.version) }
        try whole.write(to: URL(filePath: path))
        _ = try await host.prepare(manifest.version)
    }

    @Test func otherRefusalsNameTheirReason() async throws {
        let manifest = try World().publish(into: store)
        let outside = try makeHost(directory, "a", source: source, shard: 2)
        await expectRefusal(.conflict, "is split over 2 shards; this process serves shard 2") {
            _ = try await outside.prepare(manifest.version)
        }
        let lacking = try makeHost(directory, "b", source: source) { $0.filter.kinds.insert("prerank") }
        await expectRefusal(.missing, "has no component prerank for shard 0", "catalog, vectors/0, vectors/1") {
            _ = try await lacking.prepare(manifest.version)
        }
        let full = try makeHost(directory, "c", source: source) { $0.diskReserve = 1 << 60 }
        await expectRefusal(.insufficientResources, "bytes of disk", directory.file("c")) {
            _ = try await full.prepare(manifest.version)
        }
        let small = try makeHost(directory, "d", source: source) { $0.memoryFactor = 1e9 }
        await expectRefusal(.insufficientResources, "bytes of memory") { _ = try await small.prepare(manifest.version) }
        let failing = try makeHost(directory, "e", source: source, load: { _ in throw CocoaError(.coderInvalidValue) })
        await expectRefusal(.corrupt, "snapshot \(manifest.version) could not be loaded") {
            _ = try await failing.prepare(manifest.version)
        }
        await expectRefusal(.conflict, "snapshot \(manifest.version) is not prepared (loaded: )") {
            try await failing.commit(manifest.version)
        }
        await expectRefusal(.missing, "no snapshot 2020") { _ = try await failing.prepare("2020") }
    }

    @Test func restartsFromItsOwnDiskWithoutASource() async throws {
        let first = try World().publish(into: store)
        do {
            let host = try makeHost(directory, source: source)
            _ = try await host.prepare(first.version)
            try await host.commit(first.version)
        }
        let sent = source.behaviour.withLock { $0.bytesSent }
        let host = try makeHost(directory, source: nil)
        #expect(await host.restore())
        #expect(host.current?.version == first.version)
        #expect(source.behaviour.withLock { $0.bytesSent } == sent)
        await expectRefusal(.missing, "not on this machine, and there is no source") {
            _ = try await host.prepare("2020")
        }
    }

    @Test func rotOnItsOwnDiskIsFoundAtTheRestart() async throws {
        let manifest = try World().publish(into: store)
        do {
            let host = try makeHost(directory, source: source)
            _ = try await host.prepare(manifest.version)
            try await host.commit(manifest.version)
        }
        let component = try manifest.component("vectors", shard: 0)
        try flipByte(directory.file("cache/components/\(component.sha256).safetensors"), at: 5000)
        let alone = try makeHost(directory, source: nil)
        #expect(await alone.restore() == false)
        #expect(try directory.names("cache/refused") == ["\(component.sha256).safetensors"])
        let host = try makeHost(directory, source: source)
        #expect(await host.restore())
        #expect(host.current?.version == manifest.version)
    }

    @Test func catchesUpWithTheSource() async throws {
        let first = try World().publish(into: store)
        let host = try makeHost(directory, source: source)
        #expect(try await host.catchUp() == nil)
        #expect(host.current?.version == first.version)
        let second = try World(catalogSeed: 9).publish(into: store)
        #expect(try await host.catchUp() == first.version)
        #expect(host.current?.version == second.version)
        #expect(try await host.catchUp() == nil)
    }
}
