import Blobs
import Hashing
import Kernels
import Synchronization

/// Fetches one component into a node's cache: resumes where a break left it, hashes and decompresses as bytes arrive,
/// and gives the file its name only when size and hashes agree.
struct ComponentFetch: Sendable {
    var component: SnapshotComponent
    var version: String
    var cache: NodeCache
    var source: any SnapshotSource
    var limits: FetchLimits

    /// - Returns: bytes that came from the source.
    func run() async throws(SnapshotError) -> Int {
        do throws(SnapshotError) {
            return try await receiveAll()
        } catch  where error.code == .corrupt {
            try? cache.setAside(cache.partialBlobPath(component))
            try? FileSystem.remove(cache.partialFilePath(component))
            throw error
        }
    }

    private func receiveAll() async throws(SnapshotError) -> Int {
        let keeper = try BlobKeeper(component: component, version: version, path: cache.partialBlobPath(component))
        let file = try files { () throws(BlobError) in try File(cache.partialFilePath(component), .create) }
        let unpacker = Unpacker(try BlobDecoder(component: component, version: version, output: file))
        try keeper.replay { (piece) throws(SnapshotError) in try unpacker.take(piece) }
        let start = keeper.offset
        var failures = 0
        while keeper.offset < component.compressedSize {
            let before = keeper.offset
            let failure = await receiveRange(keeper, unpacker)
            if let failure, failure.code != .unavailable, failure.code != .unreachable { throw failure }
            failures = keeper.offset > before ? 0 : failures + 1
            guard failures < limits.attempts else { throw exhausted(failures, at: keeper.offset, failure) }
            if failure != nil || failures > 0 { try await pause(failures) }
        }
        try keeper.finish()
        try unpacker.finish()
        try files { () throws(BlobError) in
            try FileSystem.rename(cache.partialFilePath(component), to: cache.componentPath(component))
            try FileSystem.remove(cache.partialBlobPath(component))
        }
        return component.compressedSize - start
    }

    /// Asks for the next range and takes what comes of it.
    private func receiveRange(_ keeper: BlobKeeper, _ unpacker: Unpacker) async -> SnapshotError? {
        let start = keeper.offset
        let range = start..<min(start + limits.rangeSize, component.compressedSize)
        do throws(SnapshotError) {
            try await source.fetch(component.sha256, range: range, size: component.compressedSize) {
                (piece) throws(SnapshotError) in
                guard keeper.offset + piece.count <= range.upperBound else {
                    throw SnapshotError(
                        .corrupt,
                        "snapshot \(version): component \(component.name): asked for bytes \(range) of blob "
                            + "\(component.sha256), got more")
                }
                // Side by side: one thread hashes and keeps the bytes, another unpacks them.
                async let kept = Result { () throws(SnapshotError) in try keeper.take(piece) }
                try unpacker.take(piece)
                try await kept.get()
            }
            return nil
        } catch {
            return error
        }
    }

    private func pause(_ failures: Int) async throws(SnapshotError) {
        let delay = min(limits.pauseMin * (1 << min(failures, 10)), limits.pauseMax)
        do { try await Task.sleep(for: delay) } catch {
            throw SnapshotError(.unavailable, "snapshot \(version): the fetch was cancelled", cause: error)
        }
    }

    private func exhausted(_ failures: Int, at offset: Int, _ last: SnapshotError?) -> SnapshotError {
        SnapshotError(
            .unavailable,
            "snapshot \(version): component \(component.name): blob \(component.sha256) came to a stop at byte \(offset) of "
                + "\(component.compressedSize): \(failures) attempts brought nothing more; the last: "
                + (last?.message ?? "the stream ended early"),
            cause: last)
    }
}

/// How a node fetches.
public struct FetchLimits: Sendable, Hashable {
    /// Bytes asked for at a time: no more of a blob than this is ever in flight or in memory.
    public var rangeSize = 16 << 20
    /// Attempts in a row that bring not one byte before the fetch gives up.
    public var attempts = 6
    public var pauseMin: Duration = .milliseconds(50)
    public var pauseMax: Duration = .seconds(5)

    public init() {}
}

/// Keeps a blob's bytes on disk as they come, and hashes them.
// The lock is never contended: it lets tasks on different threads take turns.
private final class BlobKeeper: Sendable {
    private struct State: ~Copyable {
        var hasher = SHA256()
        var offset = 0
    }
    private let component: SnapshotComponent
    private let version: String
    private let file: File
    private let state = Mutex(State())

    init(component: SnapshotComponent, version: String, path: String) throws(SnapshotError) {
        self.component = component
        self.version = version
        file = try files { () throws(BlobError) in try File(path, .update) }
    }

    /// The next byte wanted.
    var offset: Int { state.withLock { $0.offset } }

    /// Hashes what an earlier attempt kept, and passes it on; more than the blob can hold is dropped.
    func replay(_ body: (UnsafeRawBufferPointer) throws(SnapshotError) -> Void) throws(SnapshotError) {
        let size = try files { () throws(BlobError) in try file.size() }
        if size > component.compressedSize { try files { () throws(BlobError) in try file.truncate(to: 0) } }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: BlobReader.pieceSize, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try files { () throws(BlobError) in try file.read(into: buffer, at: offset) }
            guard count > 0 else { return }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            state.withLock {
                $0.hasher.update(piece)
                $0.offset += count
            }
            try body(piece)
        }
    }

    func take(_ piece: SharedBuffer<UInt8>) throws(SnapshotError) {
        try piece.withUnsafeBufferPointer { (buffer) throws(SnapshotError) in
            let bytes = UnsafeRawBufferPointer(buffer)
            try files { () throws(BlobError) in try file.write(bytes, at: offset) }
            state.withLock {
                $0.hasher.update(bytes)
                $0.offset += bytes.count
            }
        }
    }

    /// The blob is the one that the manifest names.
    func finish() throws(SnapshotError) {
        let (size, digest) = state.withLock { state in
            var hasher = SHA256()
            swap(&hasher, &state.hasher)
            return (state.offset, hasher.finish())
        }
        try component.check(size: size, sha256: digest, version: version, origin: component.sha256)
    }
}

/// A decoder that tasks on different threads take turns with.
private final class Unpacker: Sendable {
    private let decoder: Mutex<BlobDecoder>

    init(_ decoder: consuming sending BlobDecoder) {
        self.decoder = Mutex(decoder)
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        try decoder.withLock { (decoder) throws(SnapshotError) in try decoder.take(bytes) }
    }

    func take(_ piece: SharedBuffer<UInt8>) throws(SnapshotError) {
        try piece.withUnsafeBufferPointer { (buffer) throws(SnapshotError) in
            try take(UnsafeRawBufferPointer(buffer))
        }
    }

    func finish() throws(SnapshotError) {
        try decoder.withLock { (decoder) throws(SnapshotError) in try decoder.finish() }
    }
}
