import Blobs
import Hashing

extension SnapshotStore {
    /// Makes a snapshot exist: moves its new blobs into place, then writes its manifest, durably.
    ///
    /// - Parameter staged: blobs not yet in the store, by SHA-256, on the store's file system.
    func publish(_ manifest: SignedManifest, version: String, staged: [String: String]) throws(SnapshotError) {
        let lock = try lock()
        defer { extendLifetime(lock) }
        for (sha256, path) in staged {
            let target = try blobPath(sha256)
            try files { () throws(BlobError) in try FileSystem.rename(path, to: target) }
        }
        let checked = try manifest.verified(by: nil, version: version, origin: "the manifest to publish")
        for component in checked.components {
            let path = try blobPath(component.sha256)
            guard FileSystem.exists(path) else {
                throw SnapshotError(.missing, "snapshot \(version): component \(component.name) has no blob \(path)")
            }
        }
        guard !FileSystem.exists(manifestPath(version)) else {
            throw SnapshotError(.conflict, "snapshot \(version) is already in \(directory)")
        }
        try files { () throws(BlobError) in
            if !manifest.signature.isEmpty {
                try FileSystem.replace(signaturePath(version), with: manifest.signature)
            }
            try FileSystem.replace(manifestPath(version), with: manifest.json)
        }
    }

    /// Copies a snapshot of another store into this one, blobs that are here already excepted.
    ///
    /// - Parameter key: it must be signed with its private key; nil copies any.
    /// - Returns: bytes of blobs copied.
    @discardableResult
    public func publish(
        _ version: String, from other: SnapshotStore, signedBy key: TrustedKey? = nil
    ) throws(SnapshotError) -> Int {
        let signed = try other.signedManifest(version)
        let manifest = try signed.verified(by: key, version: version, origin: other.manifestPath(version))
        let staging = try StagingDirectory(in: self)
        var staged: [String: String] = [:]
        var copied = 0
        for component in manifest.components where staged[component.sha256] == nil {
            guard !FileSystem.exists(try blobPath(component.sha256)) else { continue }
            let path = staging.path(component.sha256)
            copied += try copyBlob(of: component, version, from: try other.blobPath(component.sha256), to: path)
            staged[component.sha256] = path
        }
        try publish(signed, version: version, staged: staged)
        return copied
    }

    private func copyBlob(
        of component: SnapshotComponent, _ version: String, from source: String, to target: String
    ) throws(SnapshotError) -> Int {
        let output = try files { () throws(BlobError) in try File(target, .create) }
        var size = 0
        try BlobCheck(component: component, version: version, path: source).run { (piece) throws(SnapshotError) in
            try files { () throws(BlobError) in try output.write(piece, at: size) }
            size += piece.count
        }
        try files { () throws(BlobError) in try output.synchronize() }
        return size
    }

    /// Removes a snapshot and the blobs that no other one needs.
    public func remove(_ version: String) throws(SnapshotError) {
        _ = try signedManifest(version)
        let lock = try lock()
        defer { extendLifetime(lock) }
        try files { () throws(BlobError) in
            try FileSystem.remove(manifestPath(version))
            try FileSystem.remove(signaturePath(version))
            try FileSystem.synchronizeDirectory("\(directory)/manifests")
        }
        try sweep()
    }

    /// Removes blobs that no manifest names; a publisher that died between its blobs and its manifest leaves some.
    ///
    /// The caller holds the lock, so that no publisher is between the two.
    private func sweep() throws(SnapshotError) {
        var needed: Set<String> = []
        for version in try versions() { needed.formUnion(try manifest(version).components.map(\.sha256)) }
        try files { () throws(BlobError) in
            for name in try FileSystem.list("\(directory)/blobs") where !needed.contains(name) {
                try FileSystem.remove("\(directory)/blobs/\(name)")
            }
        }
    }

    /// Removes what publishers that died have left: staged files and blobs without a manifest.
    public func removeGarbage() throws(SnapshotError) {
        try StagingDirectory.sweep(self)
        let lock = try lock()
        defer { extendLifetime(lock) }
        try sweep()
        try files { () throws(BlobError) in
            for name in try FileSystem.list("\(directory)/manifests") where !name.hasSuffix(".json") {
                let isSignature = name.hasSuffix(".sig")
                if isSignature && FileSystem.exists(manifestPath(String(name.dropLast(4)))) { continue }
                try FileSystem.remove("\(directory)/manifests/\(name)")
            }
        }
    }
}
