import Blobs
import Compression
import Hashing
import Kernels

/// Turns a blob's bytes, as they come, into the safetensors file that the manifest promises.
struct BlobDecoder: ~Copyable {
    private let unpacker: FrameUnpacker
    private let plain = UnpackBuffers.plain(1).take()
    private var cutter = FrameCutter(UnpackBuffers.compressed(1))
    private var file: UnpackedFile

    /// - Parameter output: receives the file's bytes; nil to check only.
    init(component: SnapshotComponent, version: String, output: File?) {
        unpacker = FrameUnpacker(component: component, version: version)
        file = UnpackedFile(output)
    }

    /// - Complexity: memory of one frame beyond `bytes`, whatever the blob's size.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        var rest = bytes
        while !rest.isEmpty {
            rest = UnsafeRawBufferPointer(rebasing: rest[cutter.fill(rest)...])
            while let run = try unpacker.cut(&cutter, after: file.size) {
                try file.append(try unpacker.unpack(run, at: file.size, through: plain.bytes))
            }
        }
    }

    /// The file is whole, of the size and hash that the manifest says, and on the disk.
    func finish() throws(SnapshotError) {
        guard cutter.isEmpty else { throw unpacker.corrupt("its last frame is cut short", after: file.size) }
        try unpacker.check(size: file.size, xxh3: file.xxh3)
        try file.synchronize()
    }
}

/// Buffers for frames, compressed and not.
enum UnpackBuffers {
    static func compressed(_ idleMax: Int) -> BufferPool {
        BufferPool(byteCount: FrameCutter.frameBytesMax, idleMax: idleMax)
    }

    static func plain(_ idleMax: Int) -> BufferPool {
        BufferPool(byteCount: BlobWriter.frameSize, idleMax: idleMax)
    }
}

/// A component's file as it grows, and its hash so far.
struct UnpackedFile: ~Copyable {
    private let output: File?
    private var hasher: XXH3.Hasher
    private(set) var size: Int

    /// - Parameter output: receives the bytes; nil to hash only.
    init(_ output: File?) {
        self.init(output, size: 0, hasher: XXH3.Hasher())
    }

    /// Goes on after the first `size` bytes of `output`, which `hasher` has seen.
    init(_ output: File?, size: Int, hasher: consuming XXH3.Hasher) {
        self.output = output
        self.size = size
        self.hasher = hasher
    }

    var xxh3: UInt64 { hasher.value }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        hasher.update(bytes)
        if let output { try files { () throws(BlobError) in try output.write(bytes, at: size) } }
        size += bytes.count
    }

    /// Returns once the file is on the disk.
    func synchronize() throws(SnapshotError) {
        if let output { try files { () throws(BlobError) in try output.synchronize() } }
    }
}

/// Decompresses runs of a blob's frames. What it throws is `corrupt` and names the blob.
struct FrameUnpacker: Sendable {
    let component: SnapshotComponent
    let version: String

    /// The next run of frames, which the file has room for.
    ///
    /// - Parameter offset: bytes of the file that the runs before it make.
    func cut(_ cutter: inout FrameCutter, after offset: Int) throws(SnapshotError) -> FrameRun? {
        do throws(CompressionError) {
            guard let run = try cutter.next() else { return nil }
            guard run.contentSize <= component.size - offset else {
                throw CompressionError(
                    code: .limitExceeded, message: "expected \(component.size) bytes decompressed, found more")
            }
            return run
        } catch {
            throw corrupt(error.message, after: offset, cause: error)
        }
    }

    /// Decompresses a run. Runs may be unpacked in any order, or side by side.
    ///
    /// - Parameters:
    ///   - offset: where in the file it begins.
    ///   - plain: memory of `BlobWriter.frameSize` bytes to work in.
    /// - Returns: the decompressed bytes, in `plain`.
    func unpack(
        _ run: FrameRun, at offset: Int, through plain: UnsafeMutableRawBufferPointer
    ) throws(SnapshotError) -> UnsafeRawBufferPointer {
        let count: Int
        do throws(CompressionError) {
            count = try run.bytes.withUnsafeBufferPointer { (bytes) throws(CompressionError) in
                try Zstandard.decompress(UnsafeRawBufferPointer(bytes), into: plain)
            }
        } catch {
            throw corrupt(error.message, after: offset, cause: error)
        }
        guard count == run.contentSize else {
            throw corrupt("its frames promise \(run.contentSize) bytes and hold \(count)", after: offset)
        }
        return UnsafeRawBufferPointer(rebasing: plain[..<count])
    }

    /// Refuses a file that is not the one that the manifest names.
    func check(size: Int, xxh3: UInt64) throws(SnapshotError) {
        guard size == component.size else {
            throw corrupt("expected \(component.size) bytes decompressed, found \(size)", after: size)
        }
        guard xxh3.hexadecimal == component.xxh3 else {
            throw corrupt("expected XXH3-64 \(component.xxh3), found \(xxh3.hexadecimal)", after: size)
        }
    }

    func corrupt(_ problem: String, after offset: Int, cause: (any Error)? = nil) -> SnapshotError {
        SnapshotError(
            .corrupt,
            "snapshot \(version): component \(component.name): blob \(component.sha256), after \(offset) bytes: \(problem)",
            cause: cause)
    }
}
