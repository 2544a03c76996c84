import RPC

/// How requests reach what a process loaded of snapshots: the current version, or the one they are pinned to.
public struct SnapshotAccess<Value: Sendable>: Sendable {
    /// One version. It stays loaded while a request holds this, which is from its first line to its last.
    public struct Lease: Sendable {
        public let version: String
        public let value: Value
        private let holder: (any AnyObject & Sendable)?

        public init(version: String, value: Value, holder: (any AnyObject & Sendable)? = nil) {
            self.version = version
            self.value = value
            self.holder = holder
        }
    }

    /// What new requests run on; nil before a snapshot is loaded.
    let current: @Sendable () -> Lease?
    private let find: @Sendable (String) -> Lease?
    private let loadedVersions: @Sendable () -> [String]

    public init(
        current: @escaping @Sendable () -> Lease?, find: @escaping @Sendable (String) -> Lease?,
        loadedVersions: @escaping @Sendable () -> [String]
    ) {
        self.current = current
        self.find = find
        self.loadedVersions = loadedVersions
    }

    /// The version that the calling process pinned its request to.
    ///
    /// - Throws: FAILED_PRECONDITION when it is not loaded here.
    func pinned(_ version: String) throws(RPCError) -> Lease {
        guard let lease = find(version) else {
            let loaded = loadedVersions()
            throw RPCError(
                .failedPrecondition,
                "snapshot '\(version)' is not loaded (loaded: \(loaded.isEmpty ? "none" : loaded.joined(separator: ", ")))"
            )
        }
        return lease
    }
}
