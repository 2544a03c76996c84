import Blobs
import Kernels

/// Reads ranges of a store's blobs in pieces.
struct BlobReader: Sendable {
    var store: SnapshotStore

    /// Bytes per piece: large enough that its cost is the copying, small enough that many streams fit in memory.
    static let pieceSize = 1 << 20

    func open(_ sha256: String) throws(SnapshotError) -> Blob {
        let path = try store.blobPath(sha256)
        guard FileSystem.exists(path) else { throw SnapshotError(.missing, "there is no blob \(path)") }
        return try files { () throws(BlobError) in
            let file = try File(path, .read)
            return Blob(file: file, size: try file.size())
        }
    }

    struct Blob: Sendable {
        let file: File
        let size: Int

        func expect(size expected: Int) throws(SnapshotError) {
            guard size == expected else {
                throw SnapshotError(.corrupt, "blob \(file.path): expected \(expected) bytes, found \(size)")
            }
        }

        /// The range cut at the blob's end and into pieces.
        func pieces(_ range: Range<Int>) -> [Range<Int>] {
            let range = range.clamped(to: 0..<size)
            return stride(from: range.lowerBound, to: range.upperBound, by: pieceSize).map {
                $0..<min($0 + pieceSize, range.upperBound)
            }
        }

        func read(_ range: Range<Int>) throws(SnapshotError) -> SharedBuffer<UInt8> {
            let buffer = OwnedBytes(count: range.count)
            let count = try files { () throws(BlobError) in try file.read(into: buffer.bytes, at: range.lowerBound) }
            return SharedBuffer(
                owner: buffer,
                base: buffer.bytes.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) },
                count: count)
        }
    }

    // Sendable: filled by the one who makes it, before it is shared.
    private final class OwnedBytes: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer

        init(count: Int) {
            bytes = .allocate(byteCount: count, alignment: 64)
        }

        deinit {
            bytes.deallocate()
        }
    }
}
