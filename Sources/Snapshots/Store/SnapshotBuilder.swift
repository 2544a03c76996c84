public import Blobs
import Foundation
public import Hashing
import Kernels

/// Collects the components of a new snapshot and publishes them as one.
///
/// Nothing is visible before `publish` returns, and nothing stays behind when the builder is dropped or its process dies.
/// One thread at a time.
public final class SnapshotBuilder {
    public struct Configuration: Sendable {
        /// Shards that the items are split over.
        public var shards: Int
        /// zstd level, 1...19. Embeddings barely shrink at any level; 3 compresses about as fast as disks write.
        public var compressionLevel = 3
        /// Frames compressed side by side.
        public var threads = ProcessInfo.processInfo.activeProcessorCount
        /// Signs the manifest.
        public var signingKey: Ed25519.PrivateKey?

        public init(shards: Int) {
            self.shards = shards
        }
    }

    /// The specification of every model inside.
    public var model = JSONValue.object([:])
    /// How good the snapshot is.
    public var report = JSONValue.object([:])
    /// Time of the last interaction that was trained on.
    public var dataUntilMilliseconds: Int64 = 0
    /// Of an incremental update: the full version that it started from.
    public var base: String?

    private let store: SnapshotStore
    private let configuration: Configuration
    private let parent: SnapshotManifest?
    private let staging: StagingDirectory
    private var components: [SnapshotComponent] = []
    private var staged: [String: String] = [:]

    /// - Parameter store: where to publish; its newest snapshot is the parent.
    public init(store: SnapshotStore, configuration: Configuration) throws(SnapshotError) {
        precondition(configuration.shards >= 1 && configuration.threads >= 1, "at least one shard and one thread")
        self.store = store
        self.configuration = configuration
        var parent: SnapshotManifest?
        if let newest = try store.versions().last { parent = try store.manifest(newest) }
        self.parent = parent
        staging = try StagingDirectory(in: store)
    }

    /// Adds a component. When the parent has the same one, nothing is compressed or stored.
    ///
    /// - Parameters:
    ///   - kind: lower-case letters, digits and hyphens.
    ///   - shard: below the builder's number of shards; nil for a component that is not split.
    public func add(_ kind: String, shard: Int? = nil, _ tensors: SafetensorsWriter) throws(SnapshotError) {
        precondition(SnapshotManifest.isKindName(kind), "\"\(kind)\" is no component kind")
        precondition(shard.map { (0..<configuration.shards).contains($0) } ?? true, "no such shard")
        precondition(!components.contains { $0.kind == kind && $0.shard == shard }, "\(kind) is there already")
        let raw = staging.path("component.safetensors")
        defer { try? FileSystem.remove(raw) }
        let bytes = try files { () throws(BlobError) in
            try tensors.write(to: raw)
            return try MappedFile(raw).bytes
        }
        let hash = bytes.withUnsafeBufferPointer { XXH3.hash(UnsafeRawBufferPointer($0)) }.hexadecimal
        if let same = try parentComponent(size: bytes.count, xxh3: hash) {
            components.append(
                SnapshotComponent(
                    kind: kind, shard: shard, size: same.size, compressedSize: same.compressedSize,
                    sha256: same.sha256, xxh3: hash))
            return
        }
        let path = staging.path("component.zst")
        let blob = try BlobWriter(level: configuration.compressionLevel, threads: configuration.threads)
            .write(bytes, to: path)
        let component = SnapshotComponent(
            kind: kind, shard: shard, size: bytes.count, compressedSize: blob.size, sha256: blob.sha256.description,
            xxh3: hash)
        let named = staging.path(component.sha256)
        try files { () throws(BlobError) in try FileSystem.rename(path, to: named) }
        staged[component.sha256] = named
        components.append(component)
    }

    /// Takes over a component of a snapshot in the store as it is: nothing is read, compressed or stored.
    public func reuse(_ component: SnapshotComponent) throws(SnapshotError) {
        precondition(
            !components.contains { $0.kind == component.kind && $0.shard == component.shard },
            "\(component.name) is there already")
        let path = try store.blobPath(component.sha256)
        guard FileSystem.exists(path) else {
            throw SnapshotError(.missing, "component \(component.name) has no blob \(path)")
        }
        components.append(component)
    }

    /// Publishes the snapshot: it is in the store, on the disk, when this returns. The builder is done then.
    @discardableResult
    public func publish() throws(SnapshotError) -> SnapshotManifest {
        // Not before its parent, whatever the clock says: versions sort by time.
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let created = max(now, (parent?.createdMilliseconds ?? 0) + 1)
        components.sort { ($0.kind, $0.shard ?? -1) < ($1.kind, $1.shard ?? -1) }
        var manifest = SnapshotManifest(
            schema: SnapshotManifest.currentSchema, version: "", parent: parent?.version, base: base,
            createdMilliseconds: created, dataUntilMilliseconds: dataUntilMilliseconds,
            shards: configuration.shards, components: components, model: model, report: report)
        manifest.version = SnapshotManifest.versionName(milliseconds: created, contents: try manifest.json())
        let json = try manifest.json()
        var signature: [UInt8] = []
        if let key = configuration.signingKey {
            do { signature = try key.sign(json) } catch {
                throw SnapshotError(.invalid, "cannot sign snapshot \(manifest.version): \(error)", cause: error)
            }
        }
        try store.publish(
            SignedManifest(json: json, signature: signature), version: manifest.version, staged: staged)
        return manifest
    }

    /// The parent's component of the same bytes, if its blob is still there.
    private func parentComponent(size: Int, xxh3: String) throws(SnapshotError) -> SnapshotComponent? {
        guard let same = parent?.components.first(where: { $0.size == size && $0.xxh3 == xxh3 }),
            FileSystem.exists(try store.blobPath(same.sha256))
        else { return nil }
        return same
    }
}

extension UInt64 {
    /// 16 lower-case hexadecimal digits.
    var hexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
