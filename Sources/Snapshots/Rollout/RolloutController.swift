public import Logging
public import Messages
import Synchronization

/// A node that rollouts move.
public struct RolloutNode: Sendable {
    /// `recall-shard-0-1`: what events and errors call it.
    public var name: String
    /// Pins versions for whole requests, as orchestrators do: it switches last and lets go first.
    public var isEntry: Bool
    public var node: any SnapshotNode

    public init(name: String, isEntry: Bool, node: any SnapshotNode) {
        self.name = name
        self.isEntry = isEntry
        self.node = node
    }
}

/// How long the steps of a rollout are tried.
public struct RolloutLimits: Sendable, Hashable {
    /// For requests to let go of the version before; they live for fractions of a second.
    public var retire: Duration = .seconds(30)
    /// Between two questions whether they have.
    public var retirePause: Duration = .milliseconds(50)

    public init() {}
}

/// Moves all nodes from one version to another, in two phases: every live node prepares, then all commit.
///
/// A node that is down is skipped and said to be: it catches up when it starts. A node that is there and cannot prepare
/// stops the rollout before anything has changed.
public final class RolloutController: Sendable {
    public typealias Report = @Sendable (RolloutEvent) -> Void

    public let store: SnapshotStore
    private let nodes: [RolloutNode]
    private let limits: RolloutLimits
    private let publicKey: TrustedKey?
    private let logger: Logger
    private let memory: Mutex<Memory>

    private struct Memory {
        var state: RolloutState
        var isBusy = false
    }

    /// - Parameter publicKey: versions must be signed with its private key; nil commits any.
    public init(
        store: SnapshotStore, nodes: [RolloutNode], limits: RolloutLimits = .init(), publicKey: TrustedKey? = nil,
        logger: Logger
    ) throws(SnapshotError) {
        self.store = store
        self.nodes = nodes
        self.limits = limits
        self.publicKey = publicKey
        self.logger = logger
        memory = Mutex(Memory(state: try store.rolloutState()))
    }

    public var state: RolloutState { memory.withLock { $0.state } }

    /// Makes a published version the one that every node serves.
    ///
    /// Committing the committed version again brings back nodes that were down.
    public func commit(_ version: String, report: @escaping Report = { _ in }) async throws(SnapshotError) {
        try await exclusively { () throws(SnapshotError) in
            _ = try self.store.signedManifest(version).verified(
                by: self.publicKey, version: version, origin: self.store.manifestPath(version))
            try self.change { $0.prepare(version) }
            let log = EventLog(logger: self.logger, report: report)
            let prepared = try await self.prepare(version, log)
            try self.change { $0.decide() }
            log.note("", .decide, "snapshot \(version) is committed")
            try await self.finish(version, on: prepared, log)
        }
    }

    /// Goes back to the version that was committed before.
    public func rollback(report: @escaping Report = { _ in }) async throws(SnapshotError) {
        guard let previous = state.previous else {
            throw SnapshotError(.conflict, "there is no version to go back to: nothing was committed before")
        }
        try await commit(previous, report: report)
    }

    /// Ends what a crash of this process interrupted: undoes a rollout that was not decided, completes one that was.
    public func resume(report: @escaping Report = { _ in }) async throws(SnapshotError) {
        guard let rollout = state.rollout else { return }
        try await exclusively { () throws(SnapshotError) in
            let log = EventLog(logger: self.logger, report: report)
            switch rollout.phase {
            case .preparing:
                await self.letGo(of: rollout.version, on: self.nodes, log)
                try self.change { $0.abort() }
                log.note("", .done, "snapshot \(rollout.version) was not decided: undone")
            case .committing, .retiring:
                // A node that cannot prepare now is left to catch up: the decision stands.
                let outcomes = await self.prepareAll(rollout.version, log)
                try await self.finish(rollout.version, on: outcomes.compactMap { $0.error == nil ? $0.node : nil }, log)
            }
        }
    }

    // MARK: Phases

    /// - Returns: the nodes that are ready; those that are down are left out.
    private func prepare(_ version: String, _ log: EventLog) async throws(SnapshotError) -> [RolloutNode] {
        let outcomes = await prepareAll(version, log)
        let refusals = outcomes.filter { $0.error != nil && $0.error?.code != .unreachable }
        guard refusals.isEmpty else {
            await letGo(of: version, on: outcomes.filter { $0.error == nil }.map(\.node), log)
            try change { $0.abort() }
            let reasons = refusals.map { "\($0.node.name): \($0.error?.message ?? "")" }.joined(separator: "; ")
            throw SnapshotError(
                .conflict, "snapshot \(version) was not committed: \(reasons)", cause: refusals.first?.error)
        }
        return outcomes.filter { $0.error == nil }.map(\.node)
    }

    private func prepareAll(_ version: String, _ log: EventLog) async -> [Outcome] {
        await each(nodes, .prepare, log) { (node) throws(SnapshotError) in
            let prepared = try await node.prepare(version)
            return "fetched \(prepared.fetchedBytes) bytes, reused \(prepared.reusedBytes)"
        }
    }

    /// Everything after the decision: nodes that fail here catch up by themselves.
    private func finish(_ version: String, on nodes: [RolloutNode], _ log: EventLog) async throws(SnapshotError) {
        for isEntry in [false, true] {
            _ = await each(nodes.filter { $0.isEntry == isEntry }, .commit, log) { (node) throws(SnapshotError) in
                try await node.commit(version)
                return version
            }
        }
        try change { $0.retire() }
        await retireOthers(than: version, on: nodes, log)
        try change { $0.finish() }
        log.note("", .done, "serving snapshot \(version)")
    }

    /// Entry nodes first: when their requests have ended, no request anywhere is on an older version.
    private func retireOthers(than version: String, on nodes: [RolloutNode], _ log: EventLog) async {
        for isEntry in [true, false] {
            _ = await each(nodes.filter { $0.isEntry == isEntry }, .retire, log) { (node) throws(SnapshotError) in
                let others = try await node.status().loaded.filter { $0 != version }
                for other in others { try await self.retire(other, on: node) }
                return others.isEmpty ? "nothing to release" : "released \(others.joined(separator: ", "))"
            }
        }
    }

    private func letGo(of version: String, on nodes: [RolloutNode], _ log: EventLog) async {
        _ = await each(nodes, .retire, log) { (node) throws(SnapshotError) in
            try await self.retire(version, on: node)
            return "released \(version)"
        }
    }

    private func retire(_ version: String, on node: any SnapshotNode) async throws(SnapshotError) {
        let end = ContinuousClock.now + limits.retire
        while try await !node.retire(version) {
            guard ContinuousClock.now < end else {
                throw SnapshotError(
                    .conflict,
                    "snapshot \(version) is still held by requests after \(limits.retire); the node frees it later")
            }
            do { try await Task.sleep(for: limits.retirePause) } catch {
                throw SnapshotError(.unavailable, "the rollout was cancelled", cause: error)
            }
        }
    }

    // MARK: Mechanics

    private struct Outcome: Sendable {
        var node: RolloutNode
        var error: SnapshotError?
    }

    /// Runs one step on all nodes side by side and notes how each went.
    private func each(
        _ nodes: [RolloutNode], _ phase: EventLog.Phase, _ log: EventLog,
        _ step: @escaping @Sendable (any SnapshotNode) async throws(SnapshotError) -> String
    ) async -> [Outcome] {
        await withTaskGroup(of: Outcome.self) { group in
            for node in nodes {
                group.addTask {
                    let started = ContinuousClock.now
                    do throws(SnapshotError) {
                        let message = try await step(node.node)
                        log.note(node.name, phase, message, started.duration(to: .now))
                        return Outcome(node: node)
                    } catch {
                        log.note(node.name, phase, error.message, started.duration(to: .now), ok: false)
                        return Outcome(node: node, error: error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// One rollout at a time.
    private func exclusively(_ body: () async throws(SnapshotError) -> Void) async throws(SnapshotError) {
        let busy = memory.withLock { memory in
            defer { memory.isBusy = true }
            return memory.isBusy
        }
        guard !busy else {
            throw SnapshotError(.conflict, "a rollout of snapshot \(state.rollout?.version ?? "") is under way")
        }
        defer { memory.withLock { $0.isBusy = false } }
        try await body()
    }

    /// Changes the state on disk, then in memory.
    private func change(_ body: (inout RolloutState) -> Void) throws(SnapshotError) {
        try memory.withLock { (memory) throws(SnapshotError) in
            var state = memory.state
            body(&state)
            try store.save(state)
            memory.state = state
        }
    }
}

/// Tells the log and the caller what happens.
private struct EventLog: Sendable {
    enum Phase: String {
        case prepare
        case decide
        case commit
        case retire
        case done
    }
    var logger: Logger
    var report: RolloutController.Report

    func note(_ node: String, _ phase: Phase, _ message: String, _ duration: Duration = .zero, ok: Bool = true) {
        let metadata: Logger.Metadata = ["node": "\(node)", "phase": "\(phase.rawValue)"]
        if ok {
            logger.info("\(message)", metadata: metadata)
        } else {
            logger.warning("\(message)", metadata: metadata)
        }
        report(
            RolloutEvent(
                node: node, phase: phase.rawValue, ok: ok, message: message, microseconds: duration.microseconds))
    }
}
