import Kernels
import Messages
public import RPC

/// `tributary.v1.SnapshotStore`: what is published, its bytes, and the switch from one version to another.
public struct SnapshotStoreService: RPCService {
    public static var serviceName: String { SnapshotStoreMethods.service }
    private let controller: RolloutController
    private let store: SnapshotStore
    private let reader: BlobReader
    /// Reads of the disk run here, so that none of them stops an event loop.
    private let disk = BackgroundExecutor(name: "disk", threads: 2, niceness: 0)

    public init(_ controller: RolloutController) {
        self.controller = controller
        store = controller.store
        reader = BlobReader(store: store)
    }

    public func register(in router: inout Router) {
        router.unary(SnapshotStoreMethods.listSnapshots) { (_, _) throws(RPCError) in
            try await answering { () throws(SnapshotError) in try await self.list() }
        }
        router.unary(SnapshotStoreMethods.getManifest) { (request, _) throws(RPCError) in
            try await answering { () throws(SnapshotError) in try await self.manifest(request.version) }
        }
        router.serverStreaming(SnapshotStoreMethods.fetchBlob) { (request, _, writer) throws(RPCError) in
            try await self.fetch(request, writer)
        }
        router.serverStreaming(SnapshotStoreMethods.commit) { (request, _, writer) throws(RPCError) in
            try await self.report(to: writer) { (events) throws(SnapshotError) in
                try await self.controller.commit(request.version, report: events)
            }
        }
        router.serverStreaming(SnapshotStoreMethods.rollback) { (_, _, writer) throws(RPCError) in
            try await self.report(to: writer) { (events) throws(SnapshotError) in
                try await self.controller.rollback(report: events)
            }
        }
    }

    private func list() async throws(SnapshotError) -> ListSnapshotsResponse {
        let state = controller.state
        let store = store
        let summaries = try await onDisk { () throws(SnapshotError) in
            var summaries: [SnapshotSummary] = []
            for version in try store.versions() {
                let manifest = try store.manifest(version)
                summaries.append(
                    SnapshotSummary(
                        version: version, parent: manifest.parent ?? "",
                        createdMilliseconds: manifest.createdMilliseconds,
                        compressedBytes: UInt64(manifest.compressedSize), bytes: UInt64(manifest.size),
                        components: UInt32(manifest.components.count), shards: UInt32(clamping: manifest.shards),
                        committed: version == state.committed, previous: version == state.previous))
            }
            return summaries
        }
        return ListSnapshotsResponse(
            snapshots: summaries, committedVersion: state.committed ?? "", previousVersion: state.previous ?? "")
    }

    private func manifest(_ version: String) async throws(SnapshotError) -> GetManifestResponse {
        let committed = controller.state.committed
        guard let wanted = version.isEmpty ? committed : version else {
            throw SnapshotError(.missing, "no snapshot has been committed yet")
        }
        let store = store
        let signed = try await onDisk { () throws(SnapshotError) in try store.signedManifest(wanted) }
        return GetManifestResponse(
            manifest: SharedBuffer(signed.json), committed: wanted == committed,
            signature: SharedBuffer(signed.signature))
    }

    private func fetch(
        _ request: FetchBlobRequest, _ writer: ResponseWriter<BlobChunk>
    ) async throws(RPCError) {
        let reader = reader
        let blob = try await answering { () throws(SnapshotError) in
            try await onDisk { () throws(SnapshotError) in try reader.open(request.sha256) }
        }
        let start = Int(clamping: request.offset)
        guard start <= blob.size else {
            throw RPCError(.outOfRange, "blob \(request.sha256) has \(blob.size) bytes; byte \(start) was asked for")
        }
        let length = request.length == 0 ? blob.size - start : Int(clamping: request.length)
        let end = start + min(length, blob.size - start)
        for piece in blob.pieces(start..<end) {
            let data = try await answering { () throws(SnapshotError) in
                try await onDisk { () throws(SnapshotError) in try blob.read(piece) }
            }
            try await writer.write(BlobChunk(data: data, blobSize: UInt64(blob.size)))
        }
    }

    /// Runs a rollout to its end and tells the caller of it, for as long as the caller is there.
    private func report(
        to writer: ResponseWriter<RolloutEvent>,
        _ rollout: @escaping @Sendable (@escaping RolloutController.Report) async throws(SnapshotError) -> Void
    ) async throws(RPCError) {
        let (events, sink) = AsyncStream.makeStream(of: RolloutEvent.self)
        // Not a child of the caller's task: a rollout does not stop half way because someone closed a terminal.
        let task = Task {
            defer { sink.finish() }
            do throws(SnapshotError) {
                try await rollout { sink.yield($0) }
                return Result<Void, SnapshotError>.success(())
            } catch {
                return .failure(error)
            }
        }
        for await event in events { try await writer.write(event) }
        try await answering { () throws(SnapshotError) in try await task.value.get() }
    }

    private func onDisk<Value: Sendable>(
        _ body: @escaping @Sendable () throws(SnapshotError) -> Value
    ) async throws(SnapshotError) -> Value {
        try await Task(executorPreference: disk) { Result { () throws(SnapshotError) in try body() } }.value.get()
    }
}
