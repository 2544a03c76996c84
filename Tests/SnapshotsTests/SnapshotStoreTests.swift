import Blobs
import Foundation
import Kernels
import Snapshots
import Testing

@Suite struct SnapshotStoreTests {
    let directory: TemporaryDirectory
    let store: SnapshotStore

    init() throws {
        directory = try TemporaryDirectory()
        store = try SnapshotStore(directory: directory.file("store"))
    }

    @Test func publishesWhatCanBeReadBack() throws {
        let world = World()
        let published = try world.publish(into: store)
        let manifest = try store.manifest(published.version)
        #expect(manifest == published)
        #expect(manifest.components.map(\.name) == ["catalog", "vectors/0", "vectors/1"])
        #expect(manifest.shards == 2 && manifest.parent == nil)
        #expect(manifest.model["dimension"] == .integer(64))
        #expect(manifest.report["recall"] == .number(0.5))
        let component = try manifest.component("vectors", shard: 1)
        let path = directory.file("vectors.safetensors")
        try store.extract(component, of: manifest.version, to: path)
        #expect(try SafetensorsFile(path: path).buffer("values", as: UInt32.self)[2] == 3 &* 40_503)
        var problems: [SnapshotError] = []
        let isSound = try store.verify(manifest.version) { if let error = $1 { problems.append(error) } }
        #expect(isSound && problems.isEmpty, "\(problems)")
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zstd"), "needs the zstd program"))
    func blobsOpenWithTheirOwnTools() throws {
        // Several frames: the file is longer than one.
        let manifest = try World(rows: 2_500_000).publish(into: store)
        let component = try manifest.component("catalog")
        let blob = try store.blobPath(component.sha256)
        let sum = try run("/usr/bin/sha256sum", blob)
        #expect(sum.output.hasPrefix(component.sha256))
        let plain = directory.file("plain")
        #expect(try run("/usr/bin/zstd", "-q", "-d", blob, "-o", plain).status == 0)
        let extracted = directory.file("extracted")
        try store.extract(component, of: manifest.version, to: extracted)
        #expect(FileManager.default.contentsEqual(atPath: plain, andPath: extracted))
        #expect(try FileManager.default.attributesOfItem(atPath: plain)[.size] as? Int == component.size)
    }

    @Test func unchangedComponentsAreStoredOnce() throws {
        let first = try World().publish(into: store)
        let before = try directory.names("store/blobs")
        let second = try World(vectorSeed: 7).publish(into: store)
        #expect(second.parent == first.version)
        #expect(try first.component("catalog") == second.component("catalog"))
        #expect(try directory.names("store/blobs").count == before.count + 2)
        let third = try World(vectorSeed: 7).publish(into: store)
        #expect(try directory.names("store/blobs").count == before.count + 2)
        #expect(third.components == second.components)
    }

    @Test func versionsAreUniqueAndSortByTime() throws {
        let versions = try (0..<5).map { _ in try World(rows: 10).publish(into: store).version }
        #expect(Set(versions).count == 5)
        #expect(try store.versions() == versions)
        #expect(versions == versions.sorted())
        #expect(versions.allSatisfy { $0.wholeMatch(of: /\d{8}-\d{9}-[0-9a-f]{8}/) != nil })
    }

    @Test func anAbandonedBuilderLeavesNothing() throws {
        do {
            let builder = try SnapshotBuilder(store: store, configuration: .init(shards: 1))
            try builder.add("catalog", World().catalog())
            #expect(try !directory.files("store/staging").isEmpty)
        }
        #expect(try directory.files("store").isEmpty)
    }

    @Test func whatDeadPublishersLeftIsRemoved() throws {
        let manifest = try World(rows: 10).publish(into: store)
        // Killed while staging, between two steps of making the directory, and between blobs and manifest.
        for name in ["999999999-1", "999999998-2.new"] {
            try FileManager.default.createDirectory(
                atPath: directory.file("store/staging/\(name)"), withIntermediateDirectories: true)
            try Data("half".utf8).write(to: URL(filePath: directory.file("store/staging/\(name)/blob")))
        }
        let orphan = String(repeating: "a", count: 64)
        try Data("orphan".utf8).write(to: URL(filePath: directory.file("store/blobs/\(orphan)")))
        try Data("x".utf8).write(to: URL(filePath: directory.file("store/manifests/gone.sig")))
        try Data("x".utf8).write(to: URL(filePath: directory.file("store/manifests/x.json.tmp-1")))
        let living = try SnapshotBuilder(store: store, configuration: .init(shards: 1))
        try living.add("catalog", World().catalog())
        try store.removeGarbage()
        #expect(try directory.names("store/staging").count == 1)
        #expect(try directory.names("store/blobs") == manifest.components.map(\.sha256).sorted())
        #expect(try directory.names("store/manifests") == ["\(manifest.version).json"])
        #expect(try store.verify(living.publish().version) { _, _ in })
    }

    @Test func removingAVersionKeepsWhatOthersShare() throws {
        let first = try World().publish(into: store)
        let second = try World(vectorSeed: 7).publish(into: store)
        try store.remove(first.version)
        #expect(try store.versions() == [second.version])
        #expect(try directory.names("store/blobs") == second.components.map(\.sha256).sorted())
        #expect(try store.verify(second.version) { _, _ in })
    }

    @Test func copiesFromAnotherStoreOnlyWhatIsNew() throws {
        let other = try SnapshotStore(directory: directory.file("other"))
        let first = try World().publish(into: other)
        #expect(try store.publish(first.version, from: other) == first.compressedSize)
        let second = try World(vectorSeed: 7).publish(into: other)
        let changed = second.components.filter { $0.kind == "vectors" }.reduce(0) { $0 + $1.compressedSize }
        #expect(try store.publish(second.version, from: other) == changed)
        #expect(try store.manifest(second.version) == second)
        #expect(try store.verify(second.version) { _, _ in })
    }

    @Test func aDamagedBlobIsNotCopied() async throws {
        let other = try SnapshotStore(directory: directory.file("other"))
        let manifest = try World().publish(into: other)
        let component = try manifest.component("vectors", shard: 1)
        try flipByte(try other.blobPath(component.sha256), at: 1000)
        await expectRefusal(.corrupt, manifest.version, "vectors/1", "expected SHA-256 \(component.sha256)") {
            try store.publish(manifest.version, from: other)
        }
        #expect(try directory.files("store").filter { $0 != "lock" }.isEmpty)
    }

    @Test func verifyNamesEveryDamage() throws {
        let manifest = try World(shards: 4).publish(into: store)
        let path = { (shard: Int) in try store.blobPath(manifest.component("vectors", shard: shard).sha256) }
        try flipByte(path(0), at: 50)
        let cut = try Data(contentsOf: URL(filePath: path(1))).dropLast()
        try cut.write(to: URL(filePath: path(1)))
        try FileManager.default.removeItem(atPath: path(2))
        var problems: [String: SnapshotError] = [:]
        #expect(try store.verify(manifest.version) { component, error in problems[component.name] = error } == false)
        #expect(problems.keys.sorted() == ["vectors/0", "vectors/1", "vectors/2"])
        #expect(problems["vectors/0"]?.code == .corrupt)
        #expect(problems["vectors/1"]?.code == .corrupt)
        #expect(problems["vectors/1"]?.message.contains("bytes, found \(cut.count)") == true)
        #expect(problems["vectors/2"]?.code == .missing)
    }

    @Test func refusesNamesThatLeaveTheStore() async throws {
        for name in ["../x", "", ".hidden", "a/b", String(repeating: "a", count: 65)] {
            await expectRefusal(.invalid, "is no version name") { _ = try store.signedManifest(name) }
        }
        await expectRefusal(.invalid, "is no SHA-256") { _ = try store.blobPath("../../etc/passwd") }
        await expectRefusal(.missing, "no snapshot 20260101", "it is empty") { _ = try store.manifest("20260101") }
    }
}
