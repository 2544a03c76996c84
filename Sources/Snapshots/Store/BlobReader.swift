import Blobs
import Kernels

/// Reads ranges of a store's blobs in pieces.
struct BlobReader: Sendable {
    let store: SnapshotStore
    private let buffers = BufferPool(byteCount: pieceSize, idleMax: 8)

    init(store: SnapshotStore) {
        self.store = store
    }

    /// Bytes per piece: large enough that its cost is the copying, small enough that many streams fit in memory.
    static let pieceSize = 256 << 10

    func open(_ sha256: String) throws(SnapshotError) -> Blob {
        let path = try store.blobPath(sha256)
        guard FileSystem.exists(path) else { throw SnapshotError(.missing, "there is no blob \(path)") }
        return try files { () throws(BlobError) in
            let file = try File(path, .read)
            return Blob(file: file, size: try file.size(), buffers: buffers)
        }
    }

    struct Blob: Sendable {
        let file: File
        let size: Int
        fileprivate let buffers: BufferPool

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

        /// - Parameter range: one of `pieces`.
        func read(_ range: Range<Int>) throws(SnapshotError) -> SharedBuffer<UInt8> {
            let buffer = buffers.take()
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<range.count])
            let count = try files { () throws(BlobError) in try file.read(into: room, at: range.lowerBound) }
            return buffer.shared(0..<count)
        }
    }
}
