import Foundation
import Hashing
import Snapshots
import Testing

@Suite struct SnapshotManifestTests {
    /// A sound manifest, written by hand, with one part replaced.
    static func manifest(_ replaced: String = "", by replacement: String = "") -> [UInt8] {
        let text = """
            {"schema": 1, "version": "20261123-225500123-1a2b3c4d", "parent": null, "created_ms": 1795474500123,
             "data_until_ms": 1795470000000, "shards": 2, "model": {"d": 64}, "report": {"auc": 0.71},
             "components": [{"kind": "vectors", "shard": 1, "size": 10, "compressed_size": 9, "xxh3": "00ff00ff00ff00ff",
               "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]}
            """
        return Array(text.replacingOccurrences(of: replaced, with: replacement).utf8)
    }

    @Test func readsTheDocumentedForm() throws {
        let manifest = try SnapshotManifest(json: Self.manifest(), origin: "test")
        #expect(manifest.version == "20261123-225500123-1a2b3c4d")
        #expect(manifest.createdMilliseconds == 1_795_474_500_123)
        #expect(manifest.components.map(\.name) == ["vectors/1"])
        #expect(try manifest.component("vectors", shard: 1).compressedSize == 9)
        #expect(try manifest.model.decoded(as: [String: Int].self) == ["d": 64])
    }

    @Test(arguments: [
        (
            "\"schema\": 1", "\"schema\": 2", SnapshotError.Code.unsupportedVersion,
            "expected manifest schema 1, found 2"
        ),
        ("{\"schema\"", "[", .corrupt, "not a snapshot manifest"),
        ("\"shards\": 2", "\"shards\": 0", .corrupt, "at least one shard"),
        ("\"shards\": 2", "\"shards\": 1", .corrupt, "component vectors/1: expected a shard below 1"),
        ("20261123-225500123-1a2b3c4d", "../escape", .corrupt, "is no version name"),
        ("\"kind\": \"vectors\"", "\"kind\": \"a/b\"", .corrupt, "is no component kind"),
        ("\"size\": 10", "\"size\": -1", .corrupt, "sizes -1 and 9 are out of range"),
        ("\"size\": 10", "\"size\": \"ten\"", .corrupt, "not a snapshot manifest"),
        ("e3b0c442", "E3B0C442", .corrupt, "is no SHA-256"),
        ("00ff00ff00ff00ff", "00ff", .corrupt, "is no XXH3-64"),
    ])
    func refuses(_ replaced: String, _ by: String, _ code: SnapshotError.Code, _ complaint: String) async {
        await expectRefusal(code, "here.json: ", complaint) {
            _ = try SnapshotManifest(json: Self.manifest(replaced, by: by), origin: "here.json")
        }
    }

    @Test func refusesAManifestOfAnotherVersion() async {
        await expectRefusal(.corrupt, "expected version other, found 20261123-225500123-1a2b3c4d") {
            _ = try SignedManifest(json: Self.manifest()).verified(by: nil, version: "other", origin: "x")
        }
    }
}

/// Keys and signatures exchanged with the openssl program.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "needs the openssl program"))
struct SnapshotSignatureTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        for name in ["key", "other"] {
            let path = directory.file(name)
            #expect(try run("/usr/bin/openssl", "genpkey", "-algorithm", "ed25519", "-out", "\(path).pem").status == 0)
            #expect(
                try run("/usr/bin/openssl", "pkey", "-in", "\(path).pem", "-pubout", "-out", "\(path).pub").status == 0)
        }
    }

    @Test func aSignedSnapshotIsCheckedByItsKey() async throws {
        let store = try SnapshotStore(directory: directory.file("store"))
        var configuration = SnapshotBuilder.Configuration(shards: 1)
        configuration.signingKey = try SnapshotKeys.privateKey(directory.file("key.pem"))
        let builder = try SnapshotBuilder(store: store, configuration: configuration)
        try builder.add("catalog", World(rows: 10).catalog())
        let version = try builder.publish().version
        var signed = try store.signedManifest(version)
        let key = try TrustedKey(directory.file("key.pub"))
        #expect(try signed.verified(by: key, origin: "x").version == version)
        let check = try run(
            "/usr/bin/openssl", "pkeyutl", "-verify", "-pubin", "-inkey", directory.file("key.pub"), "-rawin", "-in",
            directory.file("store/manifests/\(version).json"), "-sigfile",
            directory.file("store/manifests/\(version).sig"))
        #expect(check.status == 0, "\(check.output)")
        await expectRefusal(.untrusted, "x: ", "snapshot \(version) ", "does not fit \(directory.file("other.pub"))") {
            _ = try signed.verified(by: TrustedKey(directory.file("other.pub")), origin: "x")
        }
        signed.json[signed.json.count - 2] ^= 1
        await expectRefusal(.untrusted, "does not fit \(directory.file("key.pub"))") {
            _ = try signed.verified(by: key, origin: "x")
        }
        signed.signature = []
        await expectRefusal(.untrusted, "is not signed", directory.file("key.pub")) {
            _ = try signed.verified(by: key, version: version, origin: "x")
        }
    }

    @Test func refusesFilesThatAreNoKeys() async throws {
        await expectRefusal(.invalid, "key.pub", "expected an unencrypted private key") {
            _ = try SnapshotKeys.privateKey(directory.file("key.pub"))
        }
        #expect(
            try run("/usr/bin/openssl", "genpkey", "-algorithm", "x25519", "-out", directory.file("x.pem")).status == 0)
        await expectRefusal(.invalid, "x.pem", "expected an Ed25519 private key") {
            _ = try SnapshotKeys.privateKey(directory.file("x.pem"))
        }
    }
}
