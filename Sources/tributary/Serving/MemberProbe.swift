import Messages
import RPC
import Service

/// Asks one process how it is.
struct MemberProbe: Sendable {
    /// Time for one question: a process on the same network answers in a fraction of it.
    static let timeout: Duration = .seconds(2)

    struct State: Sendable, Encodable {
        var name: String
        var address: String
        /// `serving`, `not serving` or `unreachable`.
        var health: String
        /// The version it serves; of the snapshot server, the committed one.
        var snapshot = ""
        /// Versions in memory.
        var loaded: [String] = []
        /// Why it cannot be reached, why the version that was wanted last is not served, what it has no use for.
        var note = ""

        var isServing: Bool { health == "serving" }
    }

    private let member: ClusterConfiguration.Member
    private let client: Client

    init(_ member: ClusterConfiguration.Member, in cluster: ClusterConfiguration) throws {
        self.member = member
        client = try cluster.client([member.address])
    }

    func ask() async -> State {
        var state = State(name: member.name, address: member.address, health: "unreachable")
        do throws(RPCError) {
            let health = try await client.unary(
                HealthMethods.check, Health.HealthCheckRequest(), options: CallOptions(timeout: Self.timeout))
            state.health = health.status == .serving ? "serving" : "not serving"
            try await askVersions(&state)
        } catch {
            state.note = error.message
        }
        return state
    }

    private func askVersions(_ state: inout State) async throws(RPCError) {
        let options = CallOptions(timeout: Self.timeout)
        if member.role == .snapshotServer {
            let answer = try await client.unary(
                SnapshotStoreMethods.listSnapshots, ListSnapshotsRequest(), options: options)
            state.snapshot = answer.committedVersion
            state.note = "\(answer.snapshots.count) published"
        } else {
            let answer = try await client.unary(
                SnapshotNodeMethods.nodeStatus, NodeStatusRequest(), options: options)
            state.snapshot = answer.committedVersion
            state.loaded = answer.loadedVersions
            let preparing = answer.preparingVersion.isEmpty ? "" : "loading snapshot \(answer.preparingVersion)"
            state.note = [preparing, answer.failure, answer.remark].filter { !$0.isEmpty }.joined(separator: "; ")
        }
    }
}
