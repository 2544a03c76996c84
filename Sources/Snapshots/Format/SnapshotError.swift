import Blobs
import Compression

/// Why a snapshot could not be published, fetched, loaded or switched to.
///
/// The message is whole by itself: it names the version, component, blob or node, what was expected and what was found.
public struct SnapshotError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// Bytes contradict a size, a hash or a format: never retried as they are, the file is set aside.
        case corrupt
        /// Valid, but newer or older than this build reads.
        case unsupportedVersion
        /// No such version, component or blob.
        case missing
        /// A signature is missing or does not fit the configured key.
        case untrusted
        /// The machine lacks the disk or memory that the snapshot needs.
        case insufficientResources
        /// Not possible in the present state: another rollout runs, the version is not prepared.
        case conflict
        /// An answer did not come in time, or a stream broke or ended early: worth another attempt.
        case unavailable
        /// There is nobody at the other end.
        case unreachable
        /// The system refused to read or write.
        case inputOutput
        /// The caller asked for what cannot be, such as a version name that is none.
        case invalid
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { message }
}

extension SnapshotError {
    /// The same failure one layer up.
    init(_ error: BlobError) {
        let code: Code =
            switch error.code {
            case .corrupt, .mismatch: .corrupt
            case .unsupported: .unsupportedVersion
            case .missing: .missing
            case .inputOutput: .inputOutput
            }
        self.init(code, error.description, cause: error)
    }
}

/// Runs file operations and passes their failures on as snapshot errors.
func files<Value>(_ body: () throws(BlobError) -> Value) throws(SnapshotError) -> Value {
    do { return try body() } catch { throw SnapshotError(error) }
}
