public import Kernels
import Messages
public import RPC

/// The snapshot-server as a source of snapshots.
public struct RemoteSource: SnapshotSource {
    private let name: String
    private let client: Client
    /// Time for a manifest.
    private let timeout: Duration
    /// Time for one range: at the default size, a connection slower than 300 KB/s counts as broken.
    private let rangeTimeout: Duration

    /// - Parameter client: best made with `clientConfiguration`.
    public init(
        name: String = "snapshot-server", client: Client, timeout: Duration = .seconds(10),
        rangeTimeout: Duration = .seconds(60)
    ) {
        self.name = name
        self.client = client
        self.timeout = timeout
        self.rangeTimeout = rangeTimeout
    }

    /// Windows for bulk transfer: what may arrive while frames are being unpacked.
    public static var clientConfiguration: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.limits.streamWindow = 4 << 20
        configuration.limits.connectionWindow = 8 << 20
        configuration.limits.messageBytesMax = max(SnapshotManifest.bytesMax, 2 * BlobReader.pieceSize)
        return configuration
    }

    public func manifest(_ version: String?) async throws(SnapshotError) -> SignedManifest {
        do {
            let response = try await client.unary(
                SnapshotStoreMethods.getManifest, GetManifestRequest(version: version ?? ""),
                options: CallOptions(timeout: timeout))
            return SignedManifest(json: Array(response.manifest), signature: Array(response.signature))
        } catch {
            throw SnapshotError(error, from: name)
        }
    }

    public func fetch(
        _ sha256: String, range: Range<Int>, size: Int,
        receive: (SharedBuffer<UInt8>) async throws(SnapshotError) -> Void
    ) async throws(SnapshotError) {
        let request = FetchBlobRequest(
            sha256: sha256, offset: UInt64(range.lowerBound), length: UInt64(range.count))
        let stream = client.serverStreaming(
            SnapshotStoreMethods.fetchBlob, request, options: CallOptions(timeout: rangeTimeout))
        var iterator = stream.makeAsyncIterator()
        while let chunk = try await next(&iterator) {
            guard chunk.blobSize == UInt64(size) else {
                throw SnapshotError(
                    .corrupt, "blob \(sha256): expected \(size) bytes, \(name) has one of \(chunk.blobSize)")
            }
            try await receive(chunk.data)
        }
    }

    private func next(
        _ iterator: inout MessageStream<BlobChunk>.AsyncIterator
    ) async throws(SnapshotError) -> BlobChunk? {
        do { return try await iterator.next(isolation: nil) } catch { throw SnapshotError(error, from: name) }
    }
}
