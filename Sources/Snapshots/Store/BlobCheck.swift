import Blobs
import Hashing

/// Reads a blob from end to end and holds it to its manifest's size and hash.
struct BlobCheck {
    var component: SnapshotComponent
    var version: String
    var path: String

    /// Bytes read at a time.
    private static let pieceSize = 1 << 20

    /// - Parameter body: sees each piece before the verdict; what it makes of them counts only if `run` returns.
    func run(_ body: (UnsafeRawBufferPointer) throws(SnapshotError) -> Void = { _ in }) throws(SnapshotError) {
        guard FileSystem.exists(path) else {
            throw SnapshotError(.missing, "snapshot \(version): component \(component.name) has no blob \(path)")
        }
        let file = try files { () throws(BlobError) in try File(path, .read) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 64)
        defer { buffer.deallocate() }
        var hasher = SHA256()
        var size = 0
        while true {
            let count = try files { () throws(BlobError) in try file.read(into: buffer, at: size) }
            guard count > 0 else { break }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hasher.update(piece)
            try body(piece)
            size += count
        }
        try component.check(size: size, sha256: hasher.finish(), version: version, origin: path)
    }
}

extension SnapshotComponent {
    /// Refuses a blob that is not the one the manifest names.
    func check(
        size found: Int, sha256 digest: SHA256.Digest, version: String, origin: String
    ) throws(SnapshotError) {
        guard found == compressedSize else {
            throw SnapshotError(
                .corrupt,
                "snapshot \(version): component \(name): blob \(origin): expected \(compressedSize) bytes, found \(found)"
            )
        }
        guard digest.description == sha256 else {
            throw SnapshotError(
                .corrupt,
                "snapshot \(version): component \(name): blob \(origin): expected SHA-256 \(sha256), found \(digest)")
        }
    }
}
