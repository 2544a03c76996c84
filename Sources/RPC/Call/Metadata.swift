/// Key-value pairs that travel beside a call's messages, in order; a key may come several times.
///
/// Keys are lower-case ASCII letters, digits, "_", "-" and "."; keys that end in "-bin" carry bytes, all others printable
/// ASCII text. Keys that start with "grpc-" belong to the protocol, except "grpc-status-details-bin", in which an error
/// carries a serialized `google.rpc.Status`.
public struct Metadata: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public enum Value: Sendable, Hashable {
            case text(String)
            case binary([UInt8])
        }

        public var key: String
        public var value: Value
    }

    public private(set) var entries: [Entry] = []

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }

    /// The first text under a key.
    public func text(_ key: String) -> String? {
        for entry in entries where entry.key == key {
            if case .text(let text) = entry.value { return text }
        }
        return nil
    }

    /// The first bytes under a key.
    public func binary(_ key: String) -> [UInt8]? {
        for entry in entries where entry.key == key {
            if case .binary(let bytes) = entry.value { return bytes }
        }
        return nil
    }

    public mutating func add(text: String, for key: String) throws(RPCError) {
        guard Self.isValid(key: key), !key.hasSuffix("-bin") else { throw Self.invalid(key) }
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw RPCError(.invalidArgument, "metadata '\(key)': the text is not printable ASCII")
        }
        entries.append(Entry(key: key, value: .text(text)))
    }

    /// - Parameter key: must end in "-bin".
    public mutating func add(binary: [UInt8], for key: String) throws(RPCError) {
        guard Self.isValid(key: key), key.hasSuffix("-bin") else { throw Self.invalid(key) }
        entries.append(Entry(key: key, value: .binary(binary)))
    }

    /// Takes over what has passed the checks of HTTP/2 already.
    mutating func append(received entry: Entry) {
        entries.append(entry)
    }

    private static func isValid(key: String) -> Bool {
        !key.isEmpty && (!key.hasPrefix("grpc-") || key == "grpc-status-details-bin")
            && key.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
                default: false
                }
            }
    }

    private static func invalid(_ key: String) -> RPCError {
        RPCError(.invalidArgument, "'\(key)' is not a metadata key for this kind of value")
    }
}

extension Metadata: ExpressibleByDictionaryLiteral {
    /// Text entries. A literal is the program's own writing: an invalid key or text in it is a programming error.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (key, text) in elements {
            precondition(Self.isValid(key: key) && !key.hasSuffix("-bin"), "'\(key)' is not a text metadata key")
            entries.append(Entry(key: key, value: .text(text)))
        }
    }
}
