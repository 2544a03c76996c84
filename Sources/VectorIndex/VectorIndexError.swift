/// Why an index could not be built, loaded or searched.
public struct VectorIndexError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// A component's tensors contradict each other.
        case corrupt
        /// The component was written by another format version.
        case unsupported
        /// What was given to build from or to search with cannot be used.
        case invalidInput
        /// The finished index finds less than was asked of it; nothing is published.
        case recallBelowTarget
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }
}
