/// One loaded snapshot version; whoever holds it keeps it alive.
///
/// A request takes it once and holds it to its end: the reference is the lease, and the reference count the number of
/// requests on that version.
public final class PinnedSnapshot<Loaded: Sendable>: Sendable {
    public let manifest: SnapshotManifest
    /// What the process made of the components.
    public let value: Loaded

    init(manifest: SnapshotManifest, value: Loaded) {
        self.manifest = manifest
        self.value = value
    }

    public var version: String { manifest.version }
}
