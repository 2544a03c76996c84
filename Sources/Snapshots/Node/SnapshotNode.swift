/// A process that loads snapshots, as the rollout sees it: on this machine or across the wire.
public protocol SnapshotNode: Sendable {
    /// Loads a version beside the one that is served. Asking again for the same version joins or finds it done.
    func prepare(_ version: String) async throws(SnapshotError) -> PreparedSnapshot

    /// Serves a prepared version from now on.
    ///
    /// - Returns: the version served before, if there was one.
    @discardableResult
    func commit(_ version: String) async throws(SnapshotError) -> String?

    /// Lets go of a version that is not served any more.
    ///
    /// - Returns: false while requests still hold it; ask again.
    func retire(_ version: String) async throws(SnapshotError) -> Bool

    func status() async throws(SnapshotError) -> SnapshotNodeState
}

/// What preparing a version took.
public struct PreparedSnapshot: Sendable, Hashable {
    public var version: String
    /// Bytes of blobs that came from the source.
    public var fetchedBytes = 0
    /// Bytes of blobs that were on this machine already.
    public var reusedBytes = 0
    public var duration: Duration = .zero
}

public struct SnapshotNodeState: Sendable, Hashable {
    public var role: String
    /// The version served.
    public var committed: String?
    /// Every version in memory, oldest first.
    public var loaded: [String]
    /// The version being fetched or loaded.
    public var preparing: String?
    /// Why the version that was wanted last was refused, or could not be fetched; nil when it is served.
    public var failure: String?
    /// What of the process's configuration the served version has no use for.
    public var remark: String?
}
