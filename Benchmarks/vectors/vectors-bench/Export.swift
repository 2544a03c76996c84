import ArgumentParser
import Blobs
import Catalog
import FeatureStore
import Foundation
import Kernels
import Models
import Snapshots

/// The vectors of a trained two-tower model, as NumPy files: all items', and those of all users with a history.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes items.npy and users.npy of a snapshot's two-tower model.",
        discussion: """
            The components are found among those that processes of a cluster keep: cluster/run/nodes/NAME/snapshots/components.
            """)

    @Option(help: "The snapshot's manifest, a file of the store.") var manifest: String
    @Option(help: "Folders of components, of the orchestrator and of every shard.", completion: .directory)
    var components: [String] = []
    @Option(help: "Folder to write to.") var out: String

    func run() throws {
        let snapshot = try JSONDecoder().decode(
            SnapshotManifest.self, from: Data(contentsOf: URL(filePath: manifest)))
        let items = try ItemTable(file(of: snapshot.component("catalog")))
        let net = try TwoTowerUserNet(file(of: snapshot.component("two-tower")), items: items)
        let states = try UserStateTable(file(of: snapshot.component(UserStateTable.componentKind)))
        let keys = try file(of: snapshot.component(UserStateTable.componentKind)).buffer("key", as: UInt64.self)
        var users: [Float] = []
        for key in keys {
            let state = states.state(of: UserKey(rawValue: key))
            if !state.recent.isEmpty { users += net.vector(of: state) }
        }
        var vectors: [Float] = []
        for shard in 0..<snapshot.shards {
            vectors += try file(of: snapshot.component("vectors", shard: shard)).buffer("vectors", as: Float.self)
        }
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        try write(vectors, width: net.dimension, to: "\(out)/items.npy")
        try write(users, width: net.dimension, to: "\(out)/users.npy")
        print(
            "\(vectors.count / net.dimension) items, \(users.count / net.dimension) users, \(net.dimension) dimensions")
    }

    private func file(of component: SnapshotComponent) throws -> SafetensorsFile {
        for folder in components {
            let path = "\(folder)/\(component.sha256).safetensors"
            if FileManager.default.fileExists(atPath: path) { return try SafetensorsFile(path: path) }
        }
        throw ValidationError("--components: none of \(components.count) folders has \(component.sha256).safetensors")
    }

    /// A NumPy file, version 1.
    private func write(_ values: [Float], width: Int, to path: String) throws {
        let shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(values.count / width), \(width)), }"
        // Magic, version, length and header fill a multiple of 64 bytes, and end in a new line.
        let length = (10 + shape.utf8.count + 64) / 64 * 64 - 10
        let header = shape + String(repeating: " ", count: length - shape.utf8.count - 1) + "\n"
        var data = Data([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(length & 255), UInt8(length >> 8)])
        data.append(contentsOf: header.utf8)
        values.withUnsafeBytes { data.append(contentsOf: $0) }
        try data.write(to: URL(filePath: path))
    }
}
