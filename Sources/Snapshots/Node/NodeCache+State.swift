import Blobs
import Foundation
import Hashing

/// What a node serves, as it survives a restart.
struct CommittedState: Codable, Hashable, Sendable {
    var committed: String
    var previous: String?
}

extension NodeCache {
    private var statePath: String { "\(directory)/committed.json" }
    private func manifestPath(_ version: String) -> String { "\(directory)/manifests/\(version).json" }
    private func signaturePath(_ version: String) -> String { "\(directory)/manifests/\(version).sig" }

    func committedState() throws(SnapshotError) -> CommittedState? {
        guard FileSystem.exists(statePath) else { return nil }
        let json = try files { () throws(BlobError) in try FileSystem.read(statePath, limit: 64 << 10) }
        do { return try JSONDecoder().decode(CommittedState.self, from: Data(json)) } catch {
            throw SnapshotError(.corrupt, "\(statePath): expected the committed version, found: \(error)", cause: error)
        }
    }

    func save(_ state: CommittedState) throws(SnapshotError) {
        do {
            try FileSystem.replace(statePath, with: try JSONEncoder().encode(state))
        } catch let error as BlobError {
            throw SnapshotError(error)
        } catch {
            throw SnapshotError(.invalid, "\(statePath): \(error)", cause: error)
        }
    }

    /// A manifest kept here, or nil.
    func signedManifest(_ version: String) throws(SnapshotError) -> SignedManifest? {
        guard SnapshotManifest.isVersionName(version), FileSystem.exists(manifestPath(version)) else { return nil }
        return try files { () throws(BlobError) in
            let json = try FileSystem.read(manifestPath(version), limit: SnapshotManifest.bytesMax)
            let path = signaturePath(version)
            return SignedManifest(
                json: json,
                signature: FileSystem.exists(path) ? try FileSystem.read(path, limit: Ed25519.signatureSize) : [])
        }
    }

    func save(_ manifest: SignedManifest, version: String) throws(SnapshotError) {
        try files { () throws(BlobError) in
            if !manifest.signature.isEmpty {
                try FileSystem.replace(signaturePath(version), with: manifest.signature)
            }
            try FileSystem.replace(manifestPath(version), with: manifest.json)
        }
    }
}
