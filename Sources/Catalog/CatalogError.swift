/// Why a data set could not be read, written, imported or built.
public struct CatalogError: Error, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// A stored file contradicts its own format: wrong shapes, rows out of range, keys out of order.
        case corrupt
        /// A log, a table or an option that cannot be used as it is.
        case invalidInput
        /// Two public ids have the same 64-bit key.
        case keyCollision
        /// Nothing is left to build a data set from.
        case empty
        case inputOutput
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
