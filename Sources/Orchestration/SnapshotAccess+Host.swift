public import Snapshots

extension SnapshotAccess {
    /// What `host` holds; the leases keep its versions loaded.
    public init(_ host: SnapshotHost<Value>) {
        self.init(
            current: { host.current.map(Lease.init) }, find: { host.pinned($0).map(Lease.init) },
            loadedVersions: { host.loadedVersions })
    }
}

extension SnapshotAccess.Lease {
    fileprivate init(_ pinned: PinnedSnapshot<Value>) {
        self.init(version: pinned.version, value: pinned.value, holder: pinned)
    }
}
