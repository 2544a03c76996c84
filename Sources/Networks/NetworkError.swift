/// Why the parameters of a network could not be made or read.
public struct NetworkError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// A file does not hold the parameters that the model needs.
        case mismatch
        /// A parameter has values that are not finite.
        case notFinite
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
        guard let cause else { return message }
        return "\(message): \(cause)"
    }
}
