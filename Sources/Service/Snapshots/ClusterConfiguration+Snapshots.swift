public import RPC
public import Snapshots

extension ClusterConfiguration {
    /// Every process that loads snapshots, as rollouts reach it.
    public func rolloutNodes() throws(RPCError) -> [RolloutNode] {
        var nodes: [RolloutNode] = []
        for member in members where member.role != .snapshotServer {
            let remote = RemoteNode(name: member.name, client: try client([member.address]))
            nodes.append(RolloutNode(name: member.name, isEntry: member.role == .orchestrator, node: remote))
        }
        return nodes
    }

    /// The snapshot-server, as nodes fetch from it.
    public func snapshotSource() throws(RPCError) -> RemoteSource {
        RemoteSource(client: try client([snapshotServer], configuration: RemoteSource.clientConfiguration))
    }

    /// How a process of this cluster loads snapshots.
    ///
    /// - Parameters:
    ///   - kinds: components it needs; of those that are split, its own shard's.
    ///   - optionalKinds: components that it loads when a snapshot has them.
    public func snapshotHost(
        of member: Member, kinds: Set<String>, optional optionalKinds: Set<String> = []
    ) throws(SnapshotError) -> SnapshotHostConfiguration {
        let shard = member.role == .recallShard ? member.shard : nil
        var host = SnapshotHostConfiguration(
            role: member.role.rawValue, cacheDirectory: "\(directory(of: member))/snapshots",
            filter: ComponentFilter(kinds: kinds, optional: optionalKinds, shard: shard))
        host.publicKey = try trustedKey()
        return host
    }

    /// The key that snapshots must be signed with, if the configuration names one.
    public func trustedKey() throws(SnapshotError) -> TrustedKey? {
        guard let publicKey else { return nil }
        return try TrustedKey(publicKey)
    }
}
