import Blobs
import Compression
import Hashing
import Kernels

/// Turns a blob's bytes, as they come, into the safetensors file that the manifest promises.
struct BlobDecoder: ~Copyable {
    private let unpacker: FrameUnpacker
    private let plain = UnpackBuffers.plain(1).take()
    private var cutter = FrameCutter(UnpackBuffers.compressed(1))
    private let output: File?
    private var file = UnpackedHash()

    /// - Parameter output: receives the file's bytes; nil to check only.
    init(component: SnapshotComponent, version: String, output: File?) {
        unpacker = FrameUnpacker(component: component, version: version)
        self.output = output
    }

    /// - Complexity: memory of one frame beyond `bytes`, whatever the blob's size.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        var rest = bytes
        while !rest.isEmpty {
            rest = UnsafeRawBufferPointer(rebasing: rest[cutter.fill(rest)...])
            while let run = try unpacker.cut(&cutter, after: file.size) {
                file.append(try unpacker.unpack(run, at: file.size, through: plain.bytes, to: output))
            }
        }
    }

    /// The file is whole, of the size and hash that the manifest says, and on the disk.
    func finish() throws(SnapshotError) {
        guard cutter.isEmpty else { throw unpacker.corrupt("its last frame is cut short", after: file.size) }
        try unpacker.check(size: file.size, xxh3: file.xxh3)
        if let output { try files { () throws(BlobError) in try output.synchronize() } }
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

/// How much of a component's file there is without a gap, and its hash so far.
struct UnpackedHash: ~Copyable {
    private var hasher: XXH3.Hasher
    private(set) var size: Int

    /// Goes on after `size` bytes, which `hasher` has seen.
    init(size: Int = 0, hasher: consuming XXH3.Hasher = XXH3.Hasher()) {
        self.hasher = hasher
        self.size = size
    }

    var xxh3: UInt64 { hasher.value }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        hasher.update(bytes)
        size += bytes.count
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

    /// Bytes decompressed between two writes: few enough that the writing reads them from the core's own cache, which
    /// makes it more than twice as fast as writing whole runs.
    private static let writeSize = 256 << 10

    /// Decompresses a run and writes it to its place in the file. Runs may be unpacked in any order, or side by side.
    ///
    /// - Parameters:
    ///   - offset: where in the file it begins.
    ///   - plain: memory of `BlobWriter.frameSize` bytes to work in.
    ///   - output: the file; nil to write nothing.
    /// - Returns: the decompressed bytes, in `plain`.
    func unpack(
        _ run: FrameRun, at offset: Int, through plain: UnsafeMutableRawBufferPointer, to output: File?
    ) throws(SnapshotError) -> UnsafeRawBufferPointer {
        let count = try run.bytes.withUnsafeBufferPointer { (bytes) throws(SnapshotError) in
            try decompress(UnsafeRawBufferPointer(bytes), at: offset, plain) { (piece) throws(SnapshotError) in
                guard let output else { return }
                let bytes = UnsafeRawBufferPointer(rebasing: plain[piece])
                try files { () throws(BlobError) in try output.write(bytes, at: offset + piece.lowerBound) }
            }
        }
        guard count == run.contentSize else {
            throw corrupt("its frames promise \(run.contentSize) bytes and hold \(count)", after: offset)
        }
        return UnsafeRawBufferPointer(rebasing: plain[..<count])
    }

    private func decompress(
        _ frames: UnsafeRawBufferPointer, at offset: Int, _ plain: UnsafeMutableRawBufferPointer,
        _ write: (Range<Int>) throws(SnapshotError) -> Void
    ) throws(SnapshotError) -> Int {
        func refusing<Value: ~Copyable>(
            _ body: () throws(CompressionError) -> Value
        ) throws(SnapshotError) -> Value {
            do { return try body() } catch { throw corrupt(error.message, after: offset, cause: error) }
        }
        var count = 0
        var pieces = try refusing { () throws(CompressionError) in
            try Zstandard.PieceDecompressor(frames, into: plain)
        }
        while let piece = try refusing({ () throws(CompressionError) in try pieces.next(Self.writeSize) }) {
            try write(piece)
            count = piece.upperBound
        }
        return count
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
