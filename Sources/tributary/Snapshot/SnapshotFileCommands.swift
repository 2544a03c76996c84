import ArgumentParser
import Blobs
import Foundation
import Service
import Snapshots

struct SnapshotVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every blob of a snapshot in the store and compare it with the manifest.",
        discussion: "Exits with 1 when something is wrong.")

    @OptionGroup var options: SnapshotOptions

    @Argument(help: "Version; the newest when left out.")
    var version: String?

    @Option(
        help:
            "PEM file with the Ed25519 public key that the manifest must be signed with; by default the configuration's."
    )
    var publicKey: String?

    func run() async throws {
        let store = try options.store()
        let wanted = try store.resolve(version)
        if let key = try publicKey.map(TrustedKey.init) ?? options.cluster().trustedKey() {
            _ = try store.signedManifest(wanted).verified(by: key, version: wanted, origin: store.directory)
            print("ok\tmanifest\tsignature fits \(key.path)")
        }
        let isSound = try store.verify(wanted) { component, error in
            print("\(error == nil ? "ok" : "BAD")\t\(component.name)\t\(error?.message ?? component.sha256)")
        }
        guard isSound else { throw ExitCode(1) }
    }
}

struct SnapshotInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a snapshot is made of: components, model, report; or the tensors of one component.")

    @OptionGroup var options: SnapshotOptions

    @Argument(help: "Version; the newest when left out.")
    var version: String?

    @Option(help: "A component, such as 'catalog' or 'vectors/2': lists its tensors.")
    var component: String?

    @Option(help: "With --component: also writes the safetensors file here.")
    var output: String?

    func validate() throws {
        if output != nil && component == nil { throw ValidationError("--output needs --component") }
    }

    func run() async throws {
        let store = try options.store()
        let manifest = try store.manifest(store.resolve(version))
        if let component {
            try showTensors(of: component, manifest, store)
        } else {
            try show(manifest)
        }
    }

    private func show(_ manifest: SnapshotManifest) throws {
        print("version     \(manifest.version)")
        print("parent      \(manifest.parent ?? "none")")
        print("published   \(time(manifest.createdMilliseconds))")
        print("data until  \(time(manifest.dataUntilMilliseconds))")
        print("shards      \(manifest.shards)\n")
        var rows = [["component", "size", "stored", "sha256"]]
        rows += manifest.components.map {
            [$0.name, bytes(UInt64($0.size)), bytes(UInt64($0.compressedSize)), $0.sha256]
        }
        print(table(rows))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print("\nmodel\n" + String(decoding: try encoder.encode(manifest.model), as: UTF8.self))
        print("\nreport\n" + String(decoding: try encoder.encode(manifest.report), as: UTF8.self))
    }

    private func showTensors(of name: String, _ manifest: SnapshotManifest, _ store: SnapshotStore) throws {
        guard let component = manifest.components.first(where: { $0.name == name }) else {
            let known = manifest.components.map(\.name).joined(separator: ", ")
            throw ValidationError("--component: snapshot \(manifest.version) has no \(name); it has \(known)")
        }
        let path = output ?? FileManager.default.temporaryDirectory.appending(path: component.sha256).path()
        defer { if output == nil { try? FileManager.default.removeItem(atPath: path) } }
        try store.extract(component, of: manifest.version, to: path)
        let file = try SafetensorsFile(path: path)
        var rows = [["tensor", "type", "shape", "size"]]
        rows += file.tensors.map {
            [$0.name, $0.dataType.rawValue, "\($0.shape)", bytes(UInt64($0.range.count))]
        }
        print(table(rows))
        for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) { print("\(key): \(value)") }
    }
}
