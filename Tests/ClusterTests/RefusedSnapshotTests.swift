import Foundation
import Testing

/// What a cluster must not serve: damaged blobs, and snapshots of others.
@Suite(.serialized) struct RefusedSnapshotTests {
    @Test(.timeLimit(.minutes(5)))
    func damagedBlobsAreRefusedAndTheOldVersionServesOn() throws {
        let cluster = try LocalCluster(shards: 1)
        try #require(cluster.lastUp.status == 0, "\(cluster.lastUp.output)\n\(cluster.lastUp.errors)")
        let served = try cluster.page(user: "1").snapshotVersion
        let bad = try Self.train(cluster, seed: 2)
        let blob = try Self.blob(of: "vectors", bad, cluster)
        let whole = try Data(contentsOf: blob)

        var flipped = whole
        flipped[whole.count / 2] ^= 1
        for damage in [flipped, whole.dropLast(10), nil] {
            if let damage { try damage.write(to: blob) } else { try FileManager.default.removeItem(at: blob) }
            let refused = try Self.commit(bad, cluster)
            #expect(refused.status == 2, "\(refused)")
            #expect(refused.errors.contains("recall-shard-0-0") && refused.errors.contains(bad), "\(refused.errors)")
            #expect(refused.errors.contains(blob.lastPathComponent), "\(refused.errors)")
            #expect(try cluster.page(user: "2").snapshotVersion == served)
        }
        try whole.write(to: blob)
        let committed = try Self.commit(bad, cluster)
        #expect(committed.status == 0, "\(committed)")
        let page = try cluster.page(user: "3")
        #expect(page.snapshotVersion == bad && page.completeness.shardsAnswered == 1)
    }

    /// The formula of the configuration reads click and watch_time. Without a ranking model it is not asked.
    @Test(.timeLimit(.minutes(5)))
    func aRankingModelWithoutTheFormulasHeadsIsRefused() throws {
        let cluster = try LocalCluster(shards: 1)
        try #require(cluster.lastUp.status == 0, "\(cluster.lastUp.output)\n\(cluster.lastUp.errors)")
        let processes = try Self.restart(cluster) { Self.withFormula($0) }
        defer { for process in processes { process.terminate() } }
        let served = try cluster.page(user: "1").snapshotVersion
        func trained(_ ranker: String) throws -> String {
            let file = "\(cluster.directory)/specification.json"
            try "{\"ranker\": \(ranker)}".write(toFile: file, atomically: true, encoding: .utf8)
            return try Self.train(cluster, seed: 2, ["--specification", file])
        }
        let headless = try trained(
            #"{"net": {"heads": [{"name": "click", "kind": "binary"}, {"name": "like", "kind": "binary"}]}}"#)
        let refused = try Self.commit(headless, cluster)
        #expect(refused.status == 2, "\(refused)")
        for part in ["ranker-0", headless, "there is no head 'watch_time'", "click, like"] {
            #expect(refused.errors.contains(part), "\(refused.errors)")
        }
        #expect(try cluster.page(user: "2").snapshotVersion == served)
        #expect(try Self.note(of: "ranker-0", cluster).contains("snapshot \(headless) was refused: "))
        let without = try trained(#"{"enabled": false}"#)
        #expect(try Self.commit(without, cluster).status == 0)
        let page = try cluster.page(user: "3")
        #expect(page.snapshotVersion == without && page.completeness.order == "pre-ranked")
        #expect(page.completeness.reasons == ["the snapshot has no ranking model: the order is the pre-ranker's"])
        let note = try Self.note(of: "ranker-0", cluster)
        #expect(note.contains("funnel.fusion is not used: ") && !note.contains("refused"), "\(note)")
    }

    @Test(.timeLimit(.minutes(5)))
    func onlySnapshotsSignedWithTheKeyAreServed() throws {
        let cluster = try LocalCluster(shards: 1)
        try #require(cluster.lastUp.status == 0, "\(cluster.lastUp.output)\n\(cluster.lastUp.errors)")
        let key = try Self.makeKey("snapshots", in: cluster.directory)
        let other = try Self.makeKey("other", in: cluster.directory)
        let unsigned = try cluster.page(user: "1").snapshotVersion
        let signed = try Self.train(cluster, seed: 2, ["--signing-key", key])
        #expect(try Self.commit(signed, cluster).status == 0)
        let forged = try Self.train(cluster, seed: 3, ["--signing-key", other])

        let processes = try Self.restart(cluster) { Self.adding(publicKey: "snapshots.pub", to: $0) }
        defer { for process in processes { process.terminate() } }
        #expect(try cluster.page(user: "1").snapshotVersion == signed)
        for (version, problem) in [(unsigned, "is not signed"), (forged, "does not fit")] {
            let refused = try Self.commit(version, cluster)
            #expect(refused.status == 2, "\(refused)")
            for part in [version, problem, "\(cluster.directory)/snapshots.pub"] {
                #expect(refused.errors.contains(part), "\(refused.errors)")
            }
            #expect(try cluster.page(user: "2").snapshotVersion == signed)
        }
        let verified = try Command.run(
            binary: "tributary", ["snapshot", "verify", signed, "--config", cluster.configuration])
        #expect(verified.status == 0 && verified.output.contains("ok\tmanifest"), "\(verified)")
        let refused = try Command.run(
            binary: "tributary", ["snapshot", "verify", forged, "--config", cluster.configuration])
        #expect(refused.status == 2 && refused.errors.contains("does not fit"), "\(refused)")
    }

    /// A node does not take the snapshot-server's word for it: the server has no key here, the shard has.
    @Test(.timeLimit(.minutes(5)))
    func aNodeChecksForItself() throws {
        let cluster = try LocalCluster(shards: 1)
        try #require(cluster.lastUp.status == 0, "\(cluster.lastUp.output)\n\(cluster.lastUp.errors)")
        let served = try cluster.page(user: "1").snapshotVersion
        _ = try Self.makeKey("snapshots", in: cluster.directory)
        let shard = try cluster.member("recall-shard-0-0")
        let text = try String(contentsOfFile: cluster.configuration, encoding: .utf8)
        let strict = "\(cluster.directory)/strict.yaml"
        try Self.adding(publicKey: "snapshots.pub", to: text).write(toFile: strict, atomically: true, encoding: .utf8)
        try cluster.crash("recall-shard-0-0")
        let errors = cluster.folder.url.appendingPathComponent("strict.errors")
        try Data().write(to: errors)
        let process = Process()
        process.executableURL = shard.executable
        process.arguments = shard.arguments.map { $0 == cluster.configuration ? strict : $0 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        defer { process.terminate() }
        // Neither what is on its own disk nor what the server offers will do.
        var log = ""
        for _ in 0..<500 where !log.contains("cannot catch up") {
            Thread.sleep(forTimeInterval: 0.02)
            log = try String(contentsOf: errors, encoding: .utf8)
        }
        #expect(log.contains("could not be restored") && log.contains("cannot catch up"), "\(log)")
        #expect(log.contains("snapshot \(served) is not signed") && log.contains("snapshots.pub"), "\(log)")
    }

    /// What `tributary status` says of a process.
    private static func note(of name: String, _ cluster: LocalCluster) throws -> String {
        let status = try Command.run(binary: "tributary", ["status", "--config", cluster.configuration])
        return String(try #require(status.output.split(separator: "\n").first { $0.hasPrefix(name) }))
    }

    private static func train(_ cluster: LocalCluster, seed: Int, _ more: [String] = []) throws -> String {
        let trained = try Command.run(
            binary: "trainer",
            [
                "train", "--data", "\(cluster.directory)/data", "--store", "\(cluster.directory)/store", "--shards",
                "\(cluster.shards)", "--epochs", "1", "--seed", "\(seed)",
            ] + more)
        guard trained.status == 0 else { throw CommandFailure(message: trained.errors) }
        return trained.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func commit(_ version: String, _ cluster: LocalCluster) throws -> Command.Outcome {
        try Command.run(binary: "tributary", ["snapshot", "commit", version, "--config", cluster.configuration])
    }

    /// The blob of a shard's component, as the manifest names it.
    private static func blob(of kind: String, _ version: String, _ cluster: LocalCluster) throws -> URL {
        struct Manifest: Decodable {
            struct Component: Decodable {
                var kind: String
                var sha256: String
            }
            var components: [Component]
        }
        let store = cluster.folder.url.appendingPathComponent("store")
        let json = try Data(contentsOf: store.appendingPathComponent("manifests/\(version).json"))
        let components = try JSONDecoder().decode(Manifest.self, from: json).components
        let sha256 = try #require(components.first { $0.kind == kind }?.sha256)
        return store.appendingPathComponent("blobs/\(sha256)")
    }

    /// The two commands that docs/operations.md gives.
    private static func makeKey(_ name: String, in directory: String) throws -> String {
        let key = "\(directory)/\(name).key"
        for arguments in [
            ["genpkey", "-algorithm", "ed25519", "-out", key],
            ["pkey", "-in", key, "-pubout", "-out", "\(directory)/\(name).pub"],
        ] {
            let made = try Command.run(program: "/usr/bin/openssl", arguments)
            guard made.status == 0 else { throw CommandFailure(message: made.errors) }
        }
        return key
    }

    /// The standard formula, which the file has as a comment, as one that must be met.
    private static func withFormula(_ configuration: String) -> String {
        var lines = configuration.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = lines.firstIndex(of: "  # fusion:") ?? lines.count
        for line in start..<min(start + 5, lines.count) { lines[line] = lines[line].replacing("  # ", with: "  ") }
        return lines.joined(separator: "\n")
    }

    private static func adding(publicKey: String, to configuration: String) -> String {
        configuration.replacing("snapshot_server:\n", with: "snapshot_server:\n  public_key: \(publicKey)\n")
    }

    /// Starts the processes again, with another configuration.
    private static func restart(_ cluster: LocalCluster, _ edit: (String) -> String) throws -> [Process] {
        _ = try Command.run(script: "cluster/down.sh", ["--directory", cluster.directory])
        let text = try String(contentsOfFile: cluster.configuration, encoding: .utf8)
        try edit(text).write(toFile: cluster.configuration, atomically: true, encoding: .utf8)
        let processes = try ["snapshot-server", "recall-shard-0-0", "ranker-0", "orchestrator-0"].map(cluster.start)
        let status = try Command.run(
            binary: "tributary", ["status", "--config", cluster.configuration, "--wait", "30"])
        guard status.status == 0 else { throw CommandFailure(message: "\(status.output)\n\(status.errors)") }
        return processes
    }
}
