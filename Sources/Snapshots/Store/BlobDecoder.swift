import Blobs
import Compression
import Hashing

/// Turns a blob's bytes, as they come, into the safetensors file that the manifest promises.
///
/// Whole frames are decompressed in one call each, straight from their bytes: it spares the copy through a window that
/// streaming decompression makes.
// Sendable: its memory and its library state move with its only owner.
struct BlobDecoder: ~Copyable, @unchecked Sendable {
    /// Largest compressed frame taken: it bounds a decoder's memory. Blobs are written in frames of a quarter of it.
    static let frameSizeMax = 4 * BlobWriter.frameSize

    private let component: SnapshotComponent
    private let version: String
    private let output: File?
    private var decompressor: Zstandard.Decompressor
    private var hasher = XXH3.Hasher()
    /// Bytes of a frame that is not whole yet.
    private var pending: [UInt8] = []
    private let plain: UnsafeMutableRawBufferPointer
    private var written = 0

    /// - Parameter output: receives the file's bytes; nil to check only.
    init(component: SnapshotComponent, version: String, output: File?) throws(SnapshotError) {
        self.component = component
        self.version = version
        self.output = output
        do throws(CompressionError) { decompressor = try Zstandard.Decompressor() } catch {
            throw SnapshotError(.insufficientResources, error.message, cause: error)
        }
        plain = .allocate(byteCount: BlobWriter.frameSize, alignment: 64)
    }

    deinit {
        plain.deallocate()
    }

    /// - Complexity: memory of one frame beyond `bytes`, whatever the blob's size.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        var arrived: [UInt8] = []
        swap(&arrived, &pending)
        arrived.append(contentsOf: bytes)
        let used = try arrived.span.bytes.withUnsafeBytes { (bytes) throws(SnapshotError) in try decodeFrames(bytes) }
        arrived.removeFirst(used)
        swap(&arrived, &pending)
    }

    /// The file is whole, of the size and hash that the manifest says, and on the disk.
    mutating func finish() throws(SnapshotError) {
        guard pending.isEmpty else { throw corrupt("its last frame is cut short") }
        guard written == component.size else {
            throw corrupt("expected \(component.size) bytes decompressed, found \(written)")
        }
        let hash = hasher.value.hexadecimal
        guard hash == component.xxh3 else { throw corrupt("expected XXH3-64 \(component.xxh3), found \(hash)") }
        if let output { try files { () throws(BlobError) in try output.synchronize() } }
    }

    /// - Returns: bytes of the whole frames at the start of `bytes`, which are decompressed.
    private mutating func decodeFrames(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) -> Int {
        var used = 0
        while used < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
            guard let size = try frameSize(rest) else { break }
            try decode(UnsafeRawBufferPointer(rebasing: rest[..<size]))
            used += size
        }
        guard bytes.count - used <= Self.frameSizeMax else {
            throw corrupt("expected frames of at most \(Self.frameSizeMax) bytes, found a larger one")
        }
        return used
    }

    private func frameSize(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) -> Int? {
        do { return try Zstandard.frameSize(of: bytes) } catch { throw corrupt(error.message, cause: error) }
    }

    private mutating func decode(_ frame: UnsafeRawBufferPointer) throws(SnapshotError) {
        var rest = frame
        var isFinished = false
        while !isFinished {
            let progress = try step(rest)
            rest = UnsafeRawBufferPointer(rebasing: rest[progress.consumed...])
            isFinished = progress.isFinished
            try write(UnsafeRawBufferPointer(rebasing: plain[..<progress.produced]))
        }
    }

    private mutating func step(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) -> StreamProgress {
        do { return try decompressor.step(bytes, into: plain) } catch { throw corrupt(error.message, cause: error) }
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        guard written + bytes.count <= component.size else {
            throw corrupt("expected \(component.size) bytes decompressed, found more")
        }
        hasher.update(bytes)
        if let output { try files { () throws(BlobError) in try output.write(bytes, at: written) } }
        written += bytes.count
    }

    private func corrupt(_ problem: String, cause: (any Error)? = nil) -> SnapshotError {
        SnapshotError(
            .corrupt,
            "snapshot \(version): component \(component.name): blob \(component.sha256), after \(written) bytes: \(problem)",
            cause: cause)
    }
}
