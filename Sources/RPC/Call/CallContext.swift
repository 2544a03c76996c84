/// What a handler knows of the call it serves beside the request.
public struct CallContext: Sendable {
    /// When the caller stops waiting. The handler's task is cancelled then, and each further hop gets what is left.
    public var deadline: Deadline
    /// What the caller sent beside the message, without the headers of the protocol itself.
    public var metadata: Metadata
    /// Address of the caller, for messages.
    public var peer: String
    /// Path of the method: "/service/name".
    public var method: String

    public init(
        deadline: Deadline = .distantFuture, metadata: Metadata = [:], peer: String = "in-process", method: String = ""
    ) {
        self.deadline = deadline
        self.metadata = metadata
        self.peer = peer
        self.method = method
    }

    /// True once the caller has gone or the deadline has passed: the answer will not be read.
    public var isCancelled: Bool { Task.isCancelled || deadline.hasPassed }
}
