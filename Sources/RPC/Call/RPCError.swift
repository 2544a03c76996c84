/// Why a call failed, as both sides of the wire see it.
public struct RPCError: Error, Sendable, CustomStringConvertible {
    public var code: Code
    /// One line for an operator. Travels to the caller: it holds nothing secret.
    public var message: String
    /// What lay beneath; stays in this process.
    public var cause: (any Error)?
    /// Trailing metadata that travels with the status.
    public var metadata: Metadata

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil, metadata: Metadata = [:]) {
        self.code = code
        self.message = message
        self.cause = cause
        self.metadata = metadata
    }

    public var description: String {
        guard let cause else { return "\(code.name): \(message)" }
        return "\(code.name): \(message) (\(cause))"
    }
}

extension RPCError {
    /// The status codes of gRPC except OK, which is no error (grpc/doc/statuscodes.md).
    public enum Code: Int, Sendable, Hashable, CaseIterable {
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16

        /// The name in gRPC's own spelling, for instance "DEADLINE_EXCEEDED".
        public var name: String { Self.names[rawValue - 1] }

        private static let names = [
            "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]

        /// What a client makes of an HTTP status from something that does not speak gRPC
        /// (grpc/doc/http-grpc-status-mapping.md).
        package init(httpStatus: Int) {
            switch httpStatus {
            case 400: self = .internal
            case 401: self = .unauthenticated
            case 403: self = .permissionDenied
            case 404: self = .unimplemented
            case 429, 502, 503, 504: self = .unavailable
            default: self = .unknown
            }
        }
    }
}
