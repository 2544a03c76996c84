import Blobs
import Hashing
import Kernels

/// A component's file as far as it has been fetched, on disk, and the point from which to go on.
struct PartialFile: ~Copyable {
    let output: File
    let journal: FetchJournal
    let point: FetchPoint
    private let hash: UnpackedHash

    /// Opens what an earlier attempt left, or begins. What does not agree with its journal counts as nothing.
    ///
    /// - Complexity: reads the file up to the point, in pieces.
    init(of component: SnapshotComponent, in cache: NodeCache) throws(SnapshotError) {
        let file = try files { () throws(BlobError) in try File(cache.partialPath(component), .update) }
        let journal = try FetchJournal(cache.journalPath(component), component)
        var point = FetchPoint()
        var hasher = XXH3.Hasher()
        if let recorded = try journal.read() {
            if try Self.hash(file, upTo: recorded.fileOffset, &hasher), hasher.value == recorded.xxh3 {
                point = recorded
            } else {
                hasher = XXH3.Hasher()
            }
        }
        self.journal = journal
        self.point = point
        output = file
        hash = UnpackedHash(size: point.fileOffset, hasher: hasher)
    }

    /// Size and hash of the file up to the point.
    consuming func takeHash() -> UnpackedHash { hash }

    /// Hashes the file's first bytes; false if it has fewer.
    private static func hash(
        _ file: File, upTo end: Int, _ hasher: inout XXH3.Hasher
    ) throws(SnapshotError) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: BlobReader.pieceSize, alignment: 64)
        defer { buffer.deallocate() }
        var offset = 0
        while offset < end {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, end - offset)])
            let count = try files { () throws(BlobError) in try file.read(into: room, at: offset) }
            guard count == room.count else { return false }
            hasher.update(UnsafeRawBufferPointer(room))
            offset += count
        }
        return true
    }
}
