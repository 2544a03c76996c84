public import Kernels

/// Where a node gets snapshots from: the snapshot-server, or a store's own directory.
public protocol SnapshotSource: Sendable {
    /// The manifest of a version; of the committed one when nil.
    func manifest(_ version: String?) async throws(SnapshotError) -> SignedManifest

    /// Passes bytes `[range.lowerBound, range.upperBound)` of a blob on, in order.
    ///
    /// It may end early without an error: the caller counts, and asks again.
    /// - Parameter size: bytes the blob must have; a source that sees another size says so.
    func fetch(
        _ sha256: String, range: Range<Int>, size: Int,
        receive: (SharedBuffer<UInt8>) async throws(SnapshotError) -> Void
    ) async throws(SnapshotError)
}

/// A store on this machine's own disk as a source: for the trainer, tools and tests.
public struct DirectorySource: SnapshotSource {
    private let store: SnapshotStore
    private let reader: BlobReader

    public init(_ store: SnapshotStore) {
        self.store = store
        reader = BlobReader(store: store)
    }

    /// The newest version stands for the committed one: a directory commits nothing.
    public func manifest(_ version: String?) async throws(SnapshotError) -> SignedManifest {
        if let version { return try store.signedManifest(version) }
        guard let newest = try store.versions().last else {
            throw SnapshotError(.missing, "there is no snapshot in \(store.directory)")
        }
        return try store.signedManifest(newest)
    }

    public func fetch(
        _ sha256: String, range: Range<Int>, size: Int,
        receive: (SharedBuffer<UInt8>) async throws(SnapshotError) -> Void
    ) async throws(SnapshotError) {
        let blob = try reader.open(sha256)
        try blob.expect(size: size)
        for piece in blob.pieces(range) { try await receive(try blob.read(piece)) }
    }
}
