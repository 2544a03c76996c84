import Blobs
import Compression
import Dispatch
import Hashing
import Kernels
import Synchronization

/// Compresses a file into a blob: independent zstd frames, end to end.
///
/// Frames are cut at fixed places, so that all cores compress, a reader decompresses a frame at a time in bounded memory,
/// and the same bytes give the same blob. `zstd -d` opens it as one file.
struct BlobWriter {
    /// Uncompressed bytes per frame: twice the window of zstd's level 3, so that cutting costs below 1 % of size.
    static let frameSize = 4 << 20

    var level: Int
    var threads: Int

    struct Result {
        var size: Int
        var sha256: SHA256.Digest
    }

    /// - Returns: the blob's size and hash, once it is on the disk at `path`.
    /// - Complexity: memory of two frames per thread.
    func write(_ bytes: SharedBuffer<UInt8>, to path: String) throws(SnapshotError) -> Result {
        let file = try files { () throws(BlobError) in try File(path, .create) }
        var hasher = SHA256()
        var size = 0
        let starts = Array(stride(from: 0, to: max(bytes.count, 1), by: Self.frameSize))
        for batch in stride(from: 0, to: starts.count, by: threads) {
            for frame in try compress(bytes, starts[batch..<min(batch + threads, starts.count)], path) {
                frame.withUnsafeBytes { hasher.update($0) }
                try files { () throws(BlobError) in
                    try frame.span.bytes.withUnsafeBytes { (raw) throws(BlobError) in try file.write(raw, at: size) }
                }
                size += frame.count
            }
        }
        try files { () throws(BlobError) in try file.synchronize() }
        return Result(size: size, sha256: hasher.finish())
    }

    /// The frames that begin at `starts`, compressed side by side.
    private func compress(
        _ bytes: SharedBuffer<UInt8>, _ starts: ArraySlice<Int>, _ path: String
    ) throws(SnapshotError) -> [[UInt8]] {
        let frames = Mutex<[Swift.Result<[UInt8], CompressionError>]>(
            Array(repeating: .success([]), count: starts.count))
        let first = starts.startIndex
        DispatchQueue.concurrentPerform(iterations: starts.count) { index in
            let start = starts[first + index]
            let frame = bytes[shared: start..<min(start + Self.frameSize, bytes.count)]
            let result = frame.withUnsafeBufferPointer { buffer in
                Swift.Result { () throws(CompressionError) in
                    try Zstandard.compress(UnsafeRawBufferPointer(buffer), level: level)
                }
            }
            frames.withLock { $0[index] = result }
        }
        do throws(CompressionError) {
            var compressed: [[UInt8]] = []
            for frame in frames.withLock({ $0 }) { compressed.append(try frame.get()) }
            return compressed
        } catch {
            throw SnapshotError(.inputOutput, "cannot compress \(path): \(error.message)", cause: error)
        }
    }
}
