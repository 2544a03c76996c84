import Blobs
public import Hashing

/// The exact bytes of a `manifest.json` and, where a key was configured, their signature.
///
/// The signature is kept beside the manifest, not inside, so that it covers the bytes as they are.
public struct SignedManifest: Sendable, Hashable {
    public var json: [UInt8]
    /// Ed25519 over `json`; empty when unsigned.
    public var signature: [UInt8]

    public init(json: [UInt8], signature: [UInt8] = []) {
        self.json = json
        self.signature = signature
    }

    /// The manifest, once its signature has been found good.
    ///
    /// - Parameters:
    ///   - key: the key it must be signed with; nil accepts signed and unsigned manifests alike.
    ///   - expected: the version it must be, when known.
    ///   - origin: the file or peer the bytes came from, for messages.
    public func verified(
        by key: TrustedKey?, version expected: String? = nil, origin: String
    ) throws(SnapshotError) -> SnapshotManifest {
        if let key { try check(key, expected, origin) }
        let manifest = try SnapshotManifest(json: json, origin: origin)
        if let expected, manifest.version != expected {
            throw SnapshotError(.corrupt, "\(origin): expected version \(expected), found \(manifest.version)")
        }
        return manifest
    }

    private func check(_ key: TrustedKey, _ expected: String?, _ origin: String) throws(SnapshotError) {
        let problem: String
        if signature.isEmpty {
            problem = "is not signed; it must be signed with the private key of \(key.path)"
        } else if !key.key.isValid(signature: signature, of: json) {
            problem = "has a signature that does not fit \(key.path)"
        } else {
            return
        }
        // For the message only: nothing else is done with what was not signed.
        let version = expected ?? (try? SnapshotManifest(json: json, origin: origin))?.version ?? "of unknown version"
        throw SnapshotError(.untrusted, "\(origin): the manifest of snapshot \(version) \(problem)")
    }
}

/// The public key that manifests must be signed with.
public struct TrustedKey: Sendable {
    /// The file it came from, for messages.
    public let path: String
    let key: Ed25519.PublicKey

    /// Reads a PEM public key.
    public init(_ path: String) throws(SnapshotError) {
        self.path = path
        key = try SnapshotKeys.publicKey(path)
    }
}

/// The keys that snapshots are signed and checked with.
public struct SnapshotKeys: Sendable {
    /// Reads a PEM private key.
    public static func privateKey(_ path: String) throws(SnapshotError) -> Ed25519.PrivateKey {
        let pem = try read(path)
        do { return try Ed25519.PrivateKey(pem: pem) } catch {
            throw SnapshotError(.invalid, "\(path): \(error)", cause: error)
        }
    }

    /// Reads a PEM public key.
    static func publicKey(_ path: String) throws(SnapshotError) -> Ed25519.PublicKey {
        let pem = try read(path)
        do { return try Ed25519.PublicKey(pem: pem) } catch {
            throw SnapshotError(.invalid, "\(path): \(error)", cause: error)
        }
    }

    private static func read(_ path: String) throws(SnapshotError) -> [UInt8] {
        // PEM keys take a few hundred bytes; the limit refuses a wrong file early.
        try files { () throws(BlobError) in try FileSystem.read(path, limit: 64 << 10) }
    }
}
