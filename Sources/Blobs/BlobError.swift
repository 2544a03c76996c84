/// Why a file of tensors could not be read or written.
///
/// The message names the file and, where there is one, the tensor and the offset, with what was expected and found.
public struct BlobError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The bytes contradict the format: never retried.
        case corrupt
        /// Valid, but made of something this build does not read.
        case unsupported
        /// No such file or tensor.
        case missing
        /// The file is sound, but a tensor is not of the type or shape that its reader needs.
        case mismatch
        /// The system refused to open, read, write or rename.
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
        guard let cause else { return message }
        return "\(message): \(cause)"
    }
}
