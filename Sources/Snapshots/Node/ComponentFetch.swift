import Blobs

/// Fetches one component into a node's cache: resumes where a break left it, hashes and unpacks as bytes arrive, and
/// gives the file its name only when sizes and hashes agree.
///
/// The compressed bytes are never written: what is on disk of an unfinished fetch is the unpacked file and a journal.
struct ComponentFetch: Sendable {
    var component: SnapshotComponent
    var version: String
    var cache: NodeCache
    var source: any SnapshotSource
    var limits: FetchLimits
    /// Where frames are decompressed and written.
    var executor: any TaskExecutor

    /// - Returns: bytes that came from the source.
    func run() async throws(SnapshotError) -> Int {
        do throws(SnapshotError) {
            return try await receiveAll()
        } catch  where error.code == .corrupt {
            try? cache.setAside(cache.partialPath(component))
            try? FileSystem.remove(cache.journalPath(component))
            throw error
        }
    }

    private func receiveAll() async throws(SnapshotError) -> Int {
        let partial = try PartialFile(of: component, in: cache)
        let start = partial.point.blobOffset
        let pipeline = FetchPipeline(component, version: version, continuing: partial, on: executor)
        do throws(SnapshotError) {
            try await receiveRanges(pipeline)
            try await pipeline.finish()
        } catch {
            // A run that failed for a reason of its own says more than the end of the fetch it caused.
            try await pipeline.drain()
            throw error
        }
        try files { () throws(BlobError) in
            try FileSystem.rename(cache.partialPath(component), to: cache.componentPath(component))
            try FileSystem.remove(cache.journalPath(component))
        }
        return component.compressedSize - start
    }

    private func receiveRanges(_ pipeline: FetchPipeline) async throws(SnapshotError) {
        var failures = 0
        while pipeline.received < component.compressedSize {
            let before = pipeline.received
            let failure = await receiveRange(pipeline)
            if let failure, failure.code != .unavailable, failure.code != .unreachable { throw failure }
            failures = pipeline.received > before ? 0 : failures + 1
            guard failures < limits.attempts else { throw exhausted(failures, at: pipeline.received, failure) }
            if failure != nil || failures > 0 { try await pause(failures) }
        }
    }

    /// Asks for the next range and takes what comes of it.
    private func receiveRange(_ pipeline: FetchPipeline) async -> SnapshotError? {
        let start = pipeline.received
        let range = start..<min(start + limits.rangeSize, component.compressedSize)
        do throws(SnapshotError) {
            try await source.fetch(component.sha256, range: range, size: component.compressedSize) {
                (piece) throws(SnapshotError) in
                guard piece.count <= range.upperBound - pipeline.received else {
                    throw SnapshotError(
                        .corrupt,
                        "snapshot \(version): component \(component.name): asked for bytes \(range) of blob "
                            + "\(component.sha256), got more")
                }
                try await pipeline.take(piece)
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
    /// Bytes asked for at a time.
    public var rangeSize = 16 << 20
    /// Attempts in a row that bring not one byte before the fetch gives up: a minute of them, since a snapshot-server may be
    /// restarted meanwhile.
    public var attempts = 64
    public var pauseMin: Duration = .milliseconds(50)
    public var pauseMax: Duration = .seconds(1)

    public init() {}
}
