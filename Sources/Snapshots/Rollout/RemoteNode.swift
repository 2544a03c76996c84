import Messages
public import RPC

/// A node on the other end of a connection.
public struct RemoteNode: SnapshotNode {
    private let name: String
    private let client: Client
    /// Time a node may take to fetch, load and warm up a version.
    private let prepareTimeout: Duration
    /// Time for everything else.
    private let timeout: Duration
    /// Time for a node that cannot be reached to come back: clients try to connect more often than that.
    private let returnTimeout: Duration = .seconds(5)

    public init(
        name: String, client: Client, prepareTimeout: Duration = .seconds(1800), timeout: Duration = .seconds(10)
    ) {
        self.name = name
        self.client = client
        self.prepareTimeout = prepareTimeout
        self.timeout = timeout
    }

    public func prepare(_ version: String) async throws(SnapshotError) -> PreparedSnapshot {
        // Asked first for its status: whether it is there at all must not take as long as a preparation may, but one that
        // is just being restarted is not to be left out.
        var options = CallOptions(timeout: returnTimeout)
        options.waitsForReady = true
        do throws(SnapshotError) {
            _ = try await call(SnapshotNodeMethods.nodeStatus, NodeStatusRequest(), options)
        } catch {
            throw SnapshotError(.unreachable, error.message, cause: error)
        }
        let response = try await call(
            SnapshotNodeMethods.prepare, PrepareRequest(version: version), CallOptions(timeout: prepareTimeout))
        return PreparedSnapshot(
            version: response.version, fetchedBytes: Int(clamping: response.fetchedBytes),
            reusedBytes: Int(clamping: response.reusedBytes),
            duration: .microseconds(Int64(clamping: response.microseconds)))
    }

    @discardableResult
    public func commit(_ version: String) async throws(SnapshotError) -> String? {
        let response = try await call(SnapshotNodeMethods.commitVersion, CommitVersionRequest(version: version))
        return response.previous.isEmpty ? nil : response.previous
    }

    public func retire(_ version: String) async throws(SnapshotError) -> Bool {
        try await call(SnapshotNodeMethods.retire, RetireRequest(version: version)).released
    }

    public func status() async throws(SnapshotError) -> SnapshotNodeState {
        let response = try await call(SnapshotNodeMethods.nodeStatus, NodeStatusRequest())
        return SnapshotNodeState(
            role: response.role, committed: response.committedVersion.isEmpty ? nil : response.committedVersion,
            loaded: response.loadedVersions,
            preparing: response.preparingVersion.isEmpty ? nil : response.preparingVersion,
            failure: response.failure.isEmpty ? nil : response.failure,
            remark: response.remark.isEmpty ? nil : response.remark)
    }

    private func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ options: CallOptions? = nil
    ) async throws(SnapshotError) -> Response {
        do {
            return try await client.unary(method, request, options: options ?? CallOptions(timeout: timeout))
        } catch {
            throw SnapshotError(error, from: name)
        }
    }
}
