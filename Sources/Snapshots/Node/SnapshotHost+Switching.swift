import Logging
import Synchronization

extension SnapshotHost: SnapshotNode {
    @discardableResult
    public func commit(_ version: String) async throws(SnapshotError) -> String? {
        try await onBackground { Result { () throws(SnapshotError) in try self.commitNow(version) } }
    }

    /// Puts the choice on disk, then makes it.
    private func commitNow(_ version: String) throws(SnapshotError) -> String? {
        try commitLock.withLock { (_) throws(SnapshotError) in
            let (snapshot, before) = state.withLock { ($0.versions[version], $0.committed) }
            guard let snapshot else {
                throw SnapshotError(
                    .conflict,
                    "snapshot \(version) is not prepared (loaded: \(loadedVersions.joined(separator: ", ")))")
            }
            let after =
                before?.committed == version
                ? before : CommittedState(committed: version, previous: before?.committed)
            if let after, after != before { try cache.save(after) }
            state.withLock {
                $0.current = snapshot
                $0.committed = after
                // What was in the way of this is none now.
                ($0.refusal, $0.lapse) = (nil, nil)
            }
            logger.info("serving snapshot \(version)", metadata: ["previous": "\(after?.previous ?? "none")"])
            if let remark = remark(snapshot.value) { logger.warning("snapshot \(version): \(remark)") }
            return after?.previous
        }
    }

    public func retire(_ version: String) async throws(SnapshotError) -> Bool {
        try await onBackground { Result { () throws(SnapshotError) in try self.retireNow(version) } }
    }

    /// Hides the version from new requests, and frees it, on this thread, when no request holds it.
    private func retireNow(_ version: String) throws(SnapshotError) -> Bool {
        let isCurrent = state.withLock { state in
            guard state.current?.version != version else { return true }
            if let snapshot = state.versions.removeValue(forKey: version) { state.retiring[version] = snapshot }
            return false
        }
        if isCurrent { throw SnapshotError(.conflict, "snapshot \(version) is the one being served") }
        guard releaseIfUnused(version) else { return false }
        try removeUnneededFiles()
        return true
    }

    /// True once the version is gone from memory.
    func releaseIfUnused(_ version: String) -> Bool {
        // Nobody can find a retiring version, so that a count of one can only be this table's own reference.
        let (isGone, unused): (Bool, PinnedSnapshot<Loaded>?) = state.withLock { state in
            guard var snapshot = state.retiring.removeValue(forKey: version) else { return (true, nil) }
            guard isKnownUniquelyReferenced(&snapshot) else {
                state.retiring[version] = snapshot
                return (false, nil)
            }
            return (true, snapshot)
        }
        // Freed here, on this thread and outside the lock.
        extendLifetime(unused)
        return isGone
    }

    /// Removes files of versions that are neither served, loaded, being prepared, nor a rollback away.
    private func removeUnneededFiles() throws(SnapshotError) {
        let (loaded, committed, preparing) = state.withLock {
            (
                Array($0.versions.values) + Array($0.retiring.values), $0.committed,
                $0.preparation?.version
            )
        }
        // A preparation under way is writing files of its own: the next retirement cleans up.
        guard preparing == nil else { return }
        var manifests = loaded.map(\.manifest)
        if let previous = committed?.previous, let signed = try cache.signedManifest(previous) {
            manifests.append(try signed.verified(by: nil, version: previous, origin: "the cached manifest"))
        }
        try cache.sweep(keeping: manifests)
    }

    public func status() async -> SnapshotNodeState {
        state.withLock { state in
            SnapshotNodeState(
                role: configuration.role, committed: state.current?.version,
                loaded: (Array(state.versions.keys) + Array(state.retiring.keys)).sorted(),
                preparing: state.preparation?.version, failure: state.lapse ?? state.refusal,
                remark: state.current.flatMap { remark($0.value) })
        }
    }

    /// Runs work on the loading threads.
    func onBackground<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Result<Value, SnapshotError>
    ) async throws(SnapshotError) -> Value {
        try await Task(executorPreference: background) { await work() }.value.get()
    }
}
