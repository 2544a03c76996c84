import Blobs

extension SnapshotStore {
    /// Reads every blob of a snapshot and holds it to the manifest: size, SHA-256, and what it decompresses to.
    ///
    /// - Parameter found: told of each component, with what is wrong with it, if anything.
    /// - Returns: whether all is well.
    public func verify(
        _ version: String, found: (SnapshotComponent, SnapshotError?) -> Void
    ) throws(SnapshotError) -> Bool {
        let manifest = try manifest(version)
        var sound = true
        for component in manifest.components {
            do throws(SnapshotError) {
                try verify(component, version)
                found(component, nil)
            } catch {
                sound = false
                found(component, error)
            }
        }
        return sound
    }

    private func verify(_ component: SnapshotComponent, _ version: String) throws(SnapshotError) {
        let path = try blobPath(component.sha256)
        var decoder = BlobDecoder(component: component, version: version, output: nil)
        try BlobCheck(component: component, version: version, path: path).run { (piece) throws(SnapshotError) in
            try decoder.take(piece)
        }
        try decoder.finish()
    }

    /// Writes a component as the plain safetensors file it is.
    public func extract(_ component: SnapshotComponent, of version: String, to path: String) throws(SnapshotError) {
        let blob = try blobPath(component.sha256)
        let temporary = "\(path).partial"
        do throws(SnapshotError) {
            let output = try files { () throws(BlobError) in try File(temporary, .create) }
            var decoder = BlobDecoder(component: component, version: version, output: output)
            try BlobCheck(component: component, version: version, path: blob).run { (piece) throws(SnapshotError) in
                try decoder.take(piece)
            }
            try decoder.finish()
            try files { () throws(BlobError) in try FileSystem.rename(temporary, to: path) }
        } catch {
            try? FileSystem.remove(temporary)
            throw error
        }
    }
}
