/// Why bytes could not be compressed or decompressed.
public struct CompressionError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The bytes contradict the format or their checksum: never retried.
        case corrupt
        /// The bytes end inside a frame.
        case truncated
        /// The output, or the window the input asks for, is larger than the caller allows.
        case limitExceeded
        /// The library could not get memory or was given a setting it refuses.
        case unavailable
    }

    public var code: Code
    public var message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
