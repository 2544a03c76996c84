import Blobs
import Hashing
import Kernels
import Synchronization

/// Takes a blob's bytes in order and unpacks them to the component's partial file, several runs of frames side by side.
///
/// Whoever calls `take` receives and hashes the blob; decompressing and, one run after the other, writing go on
/// meanwhile on the executor, at most `runsInFlightMax` runs at a time, which bounds the memory at about `2 * (runsInFlightMax + 1)` frames of 4 MiB.
/// For one task.
final class FetchPipeline {
    static let runsInFlightMax = 4
    /// Bytes written between two requests to the disk to have them.
    private static let flushSize = 32 << 20

    private let component: SnapshotComponent
    private let version: String
    private let unpacker: FrameUnpacker
    private let executor: any TaskExecutor
    private let settled: SettledRuns
    private let plain = UnpackBuffers.plain(FetchPipeline.runsInFlightMax)
    private var cutter = FrameCutter(UnpackBuffers.compressed(FetchPipeline.runsInFlightMax))
    private var inFlight: [UnpackTask] = []
    private var last: UnpackTask?
    /// Brings to the disk what is written so far, so that the wait for the rest is short.
    private var flush: UnpackTask?
    private var flushed = 0
    private var sha256: SHA256
    /// Ends of the runs handed on, in the blob and in the file.
    private var blobOffset: Int
    private var fileOffset: Int
    /// Bytes of the blob that have come: the next one wanted.
    private(set) var received: Int

    private typealias UnpackTask = Task<Result<Void, SnapshotError>, Never>

    /// - Parameter partial: what an earlier attempt left.
    init(
        _ component: SnapshotComponent, version: String, continuing partial: consuming PartialFile,
        on executor: any TaskExecutor
    ) {
        self.component = component
        self.version = version
        self.executor = executor
        let point = partial.point
        sha256 = point.sha256
        blobOffset = point.blobOffset
        fileOffset = point.fileOffset
        received = point.blobOffset
        unpacker = FrameUnpacker(component: component, version: version)
        settled = SettledRuns(partial)
    }

    func take(_ piece: SharedBuffer<UInt8>) async throws(SnapshotError) {
        var rest = piece
        while !rest.isEmpty {
            let count = rest.withUnsafeBufferPointer { cutter.fill(UnsafeRawBufferPointer($0)) }
            rest = rest[shared: count..<rest.count]
            received += count
            while let run = try unpacker.cut(&cutter, after: fileOffset) { try await start(run) }
        }
    }

    /// The blob is the one that the manifest names, and its file is whole and on the disk.
    func finish() async throws(SnapshotError) {
        try await drain()
        guard cutter.isEmpty else { throw unpacker.corrupt("its last frame is cut short", after: fileOffset) }
        try component.check(size: received, sha256: sha256.finish(), version: version, origin: component.sha256)
        try settled.finish(unpacker)
    }

    /// Waits for what has been started.
    func drain() async throws(SnapshotError) {
        // Also past a failure: nobody is to write to the file when this returns.
        var outcome = Result<Void, SnapshotError>.success(())
        for task in inFlight + [flush].compactMap(\.self) {
            if case .failure(let error) = await task.value { outcome = .failure(error) }
        }
        inFlight.removeAll()
        flush = nil
        try outcome.get()
    }

    private func start(_ run: FrameRun) async throws(SnapshotError) {
        run.bytes.withUnsafeBufferPointer { self.sha256.update(UnsafeRawBufferPointer($0)) }
        if inFlight.count == Self.runsInFlightMax { try await inFlight.removeFirst().value.get() }
        let offset = fileOffset
        blobOffset += run.bytes.count
        fileOffset += run.contentSize
        let (unpacker, settled, plain, previous) = (unpacker, settled, plain, last)
        let (sha256, blobEnd) = (sha256, blobOffset)
        let task = UnpackTask(executorPreference: executor) {
            let buffer = plain.take()
            do throws(SnapshotError) {
                let bytes = try unpacker.unpack(run, at: offset, through: buffer.bytes, to: settled.output)
                try await previous?.value.get()
                try settled.add(bytes, sha256: sha256, blobOffset: blobEnd)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        inFlight.append(task)
        last = task
        if fileOffset - flushed >= Self.flushSize { try await startFlush() }
    }

    private func startFlush() async throws(SnapshotError) {
        try await flush?.value.get()
        flushed = fileOffset
        let settled = settled
        flush = UnpackTask(executorPreference: executor) {
            Result { () throws(SnapshotError) in try settled.flush() }
        }
    }
}

/// What is unpacked and written, without a gap, and the journal of it.
// The lock is never contended: each run waits for the one before it.
private final class SettledRuns: Sendable {
    private let hash: Mutex<UnpackedHash>
    let output: File
    private let journal: FetchJournal

    init(_ partial: consuming PartialFile) {
        journal = partial.journal
        output = partial.output
        hash = Mutex(partial.takeHash())
    }

    func add(_ bytes: UnsafeRawBufferPointer, sha256: SHA256, blobOffset: Int) throws(SnapshotError) {
        try hash.withLock { (hash) throws(SnapshotError) in
            hash.append(bytes)
            try journal.write(
                FetchPoint(blobOffset: blobOffset, fileOffset: hash.size, sha256: sha256, xxh3: hash.xxh3))
        }
    }

    /// The file is what the manifest says, and on the disk.
    func finish(_ unpacker: FrameUnpacker) throws(SnapshotError) {
        try hash.withLock { (hash) throws(SnapshotError) in
            try unpacker.check(size: hash.size, xxh3: hash.xxh3)
        }
        try flush()
    }

    /// What is written is on the disk when this returns.
    func flush() throws(SnapshotError) {
        try files { () throws(BlobError) in try output.synchronize() }
    }
}
