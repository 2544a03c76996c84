import Messages
public import RPC

/// `tributary.v1.SnapshotNode`: lets the snapshot-server move a process from one version to another.
public struct SnapshotNodeService: RPCService {
    public static var serviceName: String { SnapshotNodeMethods.service }
    private let node: any SnapshotNode

    public init(_ node: any SnapshotNode) {
        self.node = node
    }

    public func register(in router: inout Router) {
        let node = node
        router.unary(SnapshotNodeMethods.prepare) { (request, _) throws(RPCError) in
            try await answering { () throws(SnapshotError) in
                let prepared = try await node.prepare(request.version)
                return PrepareResponse(
                    version: prepared.version, fetchedBytes: UInt64(prepared.fetchedBytes),
                    reusedBytes: UInt64(prepared.reusedBytes), microseconds: prepared.duration.microseconds)
            }
        }
        router.unary(SnapshotNodeMethods.commitVersion) { (request, _) throws(RPCError) in
            try await answering { () throws(SnapshotError) in
                let previous = try await node.commit(request.version)
                return CommitVersionResponse(version: request.version, previous: previous ?? "")
            }
        }
        router.unary(SnapshotNodeMethods.retire) { (request, _) throws(RPCError) in
            try await answering { () throws(SnapshotError) in
                RetireResponse(released: try await node.retire(request.version))
            }
        }
        router.unary(SnapshotNodeMethods.nodeStatus) { (_, _) throws(RPCError) in
            try await answering { () throws(SnapshotError) in
                let state = try await node.status()
                return NodeStatusResponse(
                    role: state.role, committedVersion: state.committed ?? "", loadedVersions: state.loaded,
                    preparingVersion: state.preparing ?? "", failure: state.failure ?? "",
                    remark: state.remark ?? "")
            }
        }
    }
}

extension Duration {
    var microseconds: UInt64 {
        UInt64(clamping: components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000)
    }
}
