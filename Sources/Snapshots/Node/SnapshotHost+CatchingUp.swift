import Logging
import Synchronization

extension SnapshotHost {
    /// Serves what this process served before it stopped, from its own disk, whether or not the source can be reached.
    ///
    /// - Returns: whether a version is served now.
    @discardableResult
    public func restore() async -> Bool {
        do throws(SnapshotError) {
            guard let saved = try cache.committedState() else { return false }
            state.withLock { $0.committed = saved }
            try await switchTo(saved.committed)
            return true
        } catch {
            let lapse = "the snapshot served before could not be restored: \(error.message)"
            state.withLock { $0.lapse = lapse }
            logger.error("\(lapse)")
            return false
        }
    }

    /// Asks the source which version is committed, and serves it.
    ///
    /// - Returns: the version left behind, if there was a switch from one.
    @discardableResult
    public func catchUp() async throws(SnapshotError) -> String? {
        guard let source else { return nil }
        let signed = try await source.manifest(nil)
        let wanted = try signed.verified(by: configuration.publicKey, origin: "snapshot-server").version
        let served = current?.version
        guard wanted != served else { return nil }
        try await switchTo(wanted)
        return served
    }

    /// Restores, then keeps up with the source until the task is cancelled.
    public func run() async {
        await restore()
        var lapsed: [(version: String, since: ContinuousClock.Instant)] = []
        while !Task.isCancelled {
            do throws(SnapshotError) {
                if let left = try await catchUp() { lapsed.append((left, .now)) }
                state.withLock { if $0.current != nil { $0.lapse = nil } }
            } catch {
                let lapse = "cannot catch up: \(error.message)"
                let isNew = state.withLock { state in
                    defer { state.lapse = lapse }
                    return state.lapse != lapse
                }
                // Said once, not at every attempt: a source may be away for hours.
                if isNew { logger.warning("\(lapse)") }
            }
            await release(&lapsed)
            do { try await Task.sleep(for: configuration.catchUpInterval) } catch { return }
        }
    }

    /// Waits until a version is served.
    ///
    /// - Returns: false when the task was cancelled first.
    public func waitUntilServing() async -> Bool {
        while current == nil {
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return false }
        }
        return true
    }

    private func switchTo(_ version: String) async throws(SnapshotError) {
        _ = try await prepare(version)
        try await commit(version)
    }

    /// Lets go of what nobody retires: versions left behind by catching up, and those whose requests have ended since.
    private func release(_ lapsed: inout [(version: String, since: ContinuousClock.Instant)]) async {
        let now = ContinuousClock.now
        for entry in lapsed where entry.since + configuration.retireDelay < now && entry.version != current?.version {
            _ = try? await retire(entry.version)
        }
        lapsed.removeAll { $0.since + configuration.retireDelay < now }
        for version in state.withLock({ Array($0.retiring.keys) }) { _ = try? await retire(version) }
    }
}
