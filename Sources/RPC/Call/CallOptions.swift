/// How one call is made.
public struct CallOptions: Sendable {
    /// When to give up. Without one, the client's default timeout applies.
    public var deadline: Deadline?
    /// Sent beside the message.
    public var metadata: Metadata
    /// How the request is compressed. The server answers in kind.
    public var encoding: MessageEncoding
    /// Whether the call waits, until its deadline, for a replica to come when none can be reached, instead of failing at
    /// once (gRPC's "wait for ready").
    public var waitsForReady = false

    public init(deadline: Deadline? = nil, metadata: Metadata = [:], encoding: MessageEncoding = .identity) {
        self.deadline = deadline
        self.metadata = metadata
        self.encoding = encoding
    }

    public init(timeout: Duration, metadata: Metadata = [:], encoding: MessageEncoding = .identity) {
        self.init(deadline: Deadline(timeout: timeout), metadata: metadata, encoding: encoding)
    }
}

/// How messages are compressed on the wire (the values of `grpc-encoding`).
public enum MessageEncoding: String, Sendable, Hashable, CaseIterable {
    case identity
    case gzip
    case zstd
}
