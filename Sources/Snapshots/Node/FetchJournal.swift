import Blobs
import Hashing
import Kernels

/// A point of a fetch from which it can go on: the border of a frame, up to which everything is in the partial file.
struct FetchPoint: Sendable {
    /// Bytes of the blob.
    var blobOffset = 0
    /// Bytes of the file that they unpack to.
    var fileOffset = 0
    /// Hash of the blob so far.
    var sha256 = SHA256()
    /// Hash of the file so far.
    var xxh3 = XXH3.Hasher().value
}

/// Keeps the last point of a fetch in a small file of its own.
///
/// It is not synchronised with the disk: after a power cut the partial file may lack what the journal speaks of, which
/// the hash of the file shows when the fetch goes on.
struct FetchJournal: Sendable {
    private static let magic: UInt64 = 0x316c_6e72_756f_4a54  // "TJournl1"
    private static let size = 8 * 4 + 64 + SHA256.stateSize + 8

    private let file: File
    private let component: SnapshotComponent

    init(_ path: String, _ component: SnapshotComponent) throws(SnapshotError) {
        file = try files { () throws(BlobError) in try File(path, .update) }
        self.component = component
    }

    func write(_ point: FetchPoint) throws(SnapshotError) {
        var bytes: [UInt8] = []
        append(Self.magic, to: &bytes)
        append(UInt64(point.blobOffset), to: &bytes)
        append(UInt64(point.fileOffset), to: &bytes)
        append(point.xxh3, to: &bytes)
        bytes.append(contentsOf: component.sha256.utf8)
        bytes.append(contentsOf: point.sha256.state)
        append(bytes.withUnsafeBytes { XXH3.hash($0) }, to: &bytes)
        try files { () throws(BlobError) in
            try bytes.span.bytes.withUnsafeBytes { (raw) throws(BlobError) in try file.write(raw, at: 0) }
        }
    }

    /// The point written last; nil if there is none, or it is damaged or another blob's.
    func read() throws(SnapshotError) -> FetchPoint? {
        try withUnsafeTemporaryAllocation(byteCount: Self.size, alignment: 8) { (bytes) throws(SnapshotError) in
            let count = try files { () throws(BlobError) in try file.read(into: bytes, at: 0) }
            guard count == Self.size else { return nil }
            return parse(UnsafeRawBufferPointer(bytes))
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) -> FetchPoint? {
        func number(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        let hashed = UnsafeRawBufferPointer(rebasing: bytes[..<(Self.size - 8)])
        guard number(0) == Self.magic, number(Self.size - 8) == XXH3.hash(hashed),
            bytes[32..<96].elementsEqual(component.sha256.utf8),
            let sha256 = SHA256(state: Array(bytes[96..<(Self.size - 8)]))
        else { return nil }
        let point = FetchPoint(
            blobOffset: Int(clamping: number(8)), fileOffset: Int(clamping: number(16)), sha256: sha256,
            xxh3: number(24))
        guard point.blobOffset <= component.compressedSize, point.fileOffset <= component.size else { return nil }
        return point
    }

    private func append(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
