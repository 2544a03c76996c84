import Blobs
import Hashing

/// A directory of published snapshots.
///
/// `blobs/<sha256>` holds every component once, however many versions share it; `manifests/<version>.json` (and `.sig`)
/// makes a snapshot exist: it is written last. `staging/` holds what builders are at, and is swept when they are gone.
public struct SnapshotStore: Sendable {
    public let directory: String

    /// Opens the store, which is made when it is not there.
    public init(directory: String) throws(SnapshotError) {
        self.directory = directory
        try files { () throws(BlobError) in
            for name in ["blobs", "manifests", "staging"] {
                try FileSystem.createDirectory("\(directory)/\(name)")
            }
        }
    }

    /// All published versions, oldest first.
    public func versions() throws(SnapshotError) -> [String] {
        let names = try files { () throws(BlobError) in try FileSystem.list("\(directory)/manifests") }
        return names.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
            .filter(SnapshotManifest.isVersionName).sorted()
    }

    /// The manifest of a version, byte for byte.
    public func signedManifest(_ version: String) throws(SnapshotError) -> SignedManifest {
        guard SnapshotManifest.isVersionName(version) else {
            throw SnapshotError(.invalid, "\"\(version)\" is no version name")
        }
        let path = manifestPath(version)
        guard FileSystem.exists(path) else {
            let newest = try versions().suffix(5).joined(separator: ", ")
            throw SnapshotError(
                .missing,
                "no snapshot \(version) in \(directory); "
                    + (newest.isEmpty ? "it is empty" : "the newest are \(newest)"))
        }
        return try files { () throws(BlobError) in
            let json = try FileSystem.read(path, limit: SnapshotManifest.bytesMax)
            let signature =
                FileSystem.exists(signaturePath(version))
                ? try FileSystem.read(signaturePath(version), limit: Ed25519.signatureSize) : []
            return SignedManifest(json: json, signature: signature)
        }
    }

    public func manifest(_ version: String) throws(SnapshotError) -> SnapshotManifest {
        try signedManifest(version).verified(by: nil, version: version, origin: manifestPath(version))
    }

    /// Where a blob lies; the name is checked to be a SHA-256.
    public func blobPath(_ sha256: String) throws(SnapshotError) -> String {
        guard SHA256.Digest(hex: sha256) != nil else {
            throw SnapshotError(.invalid, "\"\(sha256)\" is no SHA-256 in lower-case hexadecimal")
        }
        return "\(directory)/blobs/\(sha256)"
    }

    func manifestPath(_ version: String) -> String { "\(directory)/manifests/\(version).json" }
    func signaturePath(_ version: String) -> String { "\(directory)/manifests/\(version).sig" }

    /// Keeps other processes from changing what is published, as long as it is held.
    func lock() throws(SnapshotError) -> FileLock {
        try files { () throws(BlobError) in try FileLock("\(directory)/lock") }
    }
}
