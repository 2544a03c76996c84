public import Blobs

/// A snapshot whose components lie on this machine's disk, mapped into memory.
public struct OpenSnapshot: Sendable {
    public let manifest: SnapshotManifest
    private let components: [String: SafetensorsFile]

    init(manifest: SnapshotManifest, components: [String: SafetensorsFile]) {
        self.manifest = manifest
        self.components = components
    }

    public var version: String { manifest.version }

    /// The file of a component, for a kind that is split the one of the shard.
    public func component(_ kind: String, shard: Int? = nil) throws(SnapshotError) -> SafetensorsFile {
        let component = try manifest.component(kind, shard: shard)
        guard let file = components[component.name] else {
            throw SnapshotError(
                .missing,
                "snapshot \(version): component \(component.name) is not among those this process loads: "
                    + components.keys.sorted().joined(separator: ", "))
        }
        return file
    }

    public func contains(_ kind: String, shard: Int? = nil) -> Bool {
        components[shard.map { "\(kind)/\($0)" } ?? kind] != nil
    }
}
