import RPC

// One table maps snapshot errors to gRPC status, in both directions. A failed fetch on a node travels as ABORTED:
// UNAVAILABLE would say that the node itself is down.
extension SnapshotError {
    private static let table: [(SnapshotError.Code, RPCError.Code)] = [
        (.corrupt, .dataLoss), (.unsupportedVersion, .unimplemented), (.missing, .notFound),
        (.untrusted, .permissionDenied), (.insufficientResources, .resourceExhausted), (.conflict, .failedPrecondition),
        (.unavailable, .aborted), (.unreachable, .aborted), (.inputOutput, .internal), (.invalid, .invalidArgument),
    ]

    /// The error as it travels.
    func status() -> RPCError {
        let status = Self.table.first { $0.0 == self.code }?.1 ?? .unknown
        return RPCError(status, message, cause: self)
    }

    /// An error that came from another process.
    init(_ error: RPCError, from place: String) {
        // What the transport itself reports says nothing of the place it was to reach.
        switch error.code {
        case .unavailable, .cancelled: self.init(.unreachable, "\(place): \(error.message)", cause: error)
        case .deadlineExceeded: self.init(.unavailable, "\(place): \(error.message)", cause: error)
        default:
            self.init(Self.table.first { $0.1 == error.code }?.0 ?? .inputOutput, error.message, cause: error)
        }
    }
}

/// Runs a handler's work and passes its failures on as gRPC status.
func answering<Value>(
    _ body: () async throws(SnapshotError) -> Value
) async throws(RPCError) -> Value {
    do { return try await body() } catch { throw error.status() }
}
