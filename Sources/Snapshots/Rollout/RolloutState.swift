import Blobs
import Foundation

/// What the cluster serves, and how far the switch to it has come: the rollout's memory over a crash.
///
/// A rollout moves `preparing` -> decided (`committed` changes, `phase` becomes `committing`) -> `retiring` -> nil. Before
/// the decision a crash undoes it, after the decision a crash resumes it; the decision is one atomic write.
public struct RolloutState: Codable, Hashable, Sendable {
    public var committed: String?
    /// What a rollback goes back to.
    public var previous: String?
    public var rollout: Rollout?

    public init(committed: String? = nil, previous: String? = nil, rollout: Rollout? = nil) {
        self.committed = committed
        self.previous = previous
        self.rollout = rollout
    }

    public struct Rollout: Codable, Hashable, Sendable {
        public enum Phase: String, Codable, Sendable {
            case preparing
            case committing
            case retiring
        }
        public var version: String
        public var phase: Phase
    }

    mutating func prepare(_ version: String) {
        rollout = Rollout(version: version, phase: .preparing)
    }

    mutating func abort() {
        rollout = nil
    }

    /// From here on the version is the cluster's, whatever happens to any process.
    mutating func decide() {
        guard let version = rollout?.version else { preconditionFailure("a decision needs a rollout") }
        if committed != version { previous = committed }
        committed = version
        rollout?.phase = .committing
    }

    mutating func retire() {
        rollout?.phase = .retiring
    }

    mutating func finish() {
        rollout = nil
    }
}

extension SnapshotStore {
    private var statePath: String { "\(directory)/state.json" }

    func rolloutState() throws(SnapshotError) -> RolloutState {
        guard FileSystem.exists(statePath) else { return RolloutState() }
        let json = try files { () throws(BlobError) in try FileSystem.read(statePath, limit: 64 << 10) }
        do { return try JSONDecoder().decode(RolloutState.self, from: Data(json)) } catch {
            throw SnapshotError(
                .corrupt, "\(statePath): expected the state of the rollout, found: \(error)", cause: error)
        }
    }

    func save(_ state: RolloutState) throws(SnapshotError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            try FileSystem.replace(statePath, with: try encoder.encode(state))
        } catch let error as BlobError {
            throw SnapshotError(error)
        } catch {
            throw SnapshotError(.invalid, "\(statePath): \(error)", cause: error)
        }
    }
}
