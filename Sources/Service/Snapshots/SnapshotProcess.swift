public import Logging
public import RPC
public import Snapshots

/// A serving process that works from snapshots: it restores its own from disk, follows the snapshot-server, and is ready
/// once it has a snapshot to serve.
public struct SnapshotProcess<Loaded: Sendable>: Sendable {
    public let host: SnapshotHost<Loaded>
    private let member: ClusterConfiguration.Member
    private let cluster: ClusterConfiguration
    private let logger: Logger

    /// - Parameters:
    ///   - kinds: the components that this process needs.
    ///   - optionalKinds: those that it loads when a snapshot has them.
    ///   - remark: what of the configuration a loaded value has no use for.
    ///   - load: makes of the mapped components what the process serves from.
    public init(
        _ member: ClusterConfiguration.Member, in cluster: ClusterConfiguration, kinds: Set<String>,
        optional optionalKinds: Set<String> = [], logger: Logger,
        remark: @escaping @Sendable (Loaded) -> String? = { _ in nil },
        load: @escaping @Sendable (OpenSnapshot) throws -> Loaded
    ) throws {
        self.member = member
        self.cluster = cluster
        self.logger = logger
        let shards = cluster.recallShards.count
        host = try SnapshotHost(
            try cluster.snapshotHost(of: member, kinds: kinds, optional: optionalKinds),
            source: try cluster.snapshotSource(), logger: logger, remark: remark
        ) { snapshot in
            guard snapshot.manifest.shards == shards else {
                throw SnapshotError(
                    .conflict,
                    "snapshot \(snapshot.version) is split over \(snapshot.manifest.shards) shards; "
                        + "this cluster has \(shards)")
            }
            return try load(snapshot)
        }
    }

    /// Serves `services`, the snapshot node's own, health and reflection until the process is told to end.
    public func run(services: [any RPCService]) async throws {
        let process = ServiceProcess(
            member: member, configuration: cluster, logger: logger, services: services + [SnapshotNodeService(host)])
        try await process.run(background: [
            SnapshotHostTask(host) { _ in process.reportReady() }
        ])
    }
}
