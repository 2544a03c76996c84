import Yams

/// One mapping of a YAML file, read key by key; what nobody asked for is an error, so no setting is ignored.
struct ConfigurationReader {
    private let file: String
    /// Dotted path of the mapping, empty at the root.
    let path: String
    private let line: Int
    private let entries: [String: Node]
    private var asked: Set<String> = []

    /// Reads the root mapping of a file's text.
    init(text: String, file: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw Self.refusal(error, file: file)
        } catch {
            throw ConfigurationError(place: file, message: "\(error)")
        }
        guard let root else { throw ConfigurationError(place: file, message: "is empty; expected a mapping") }
        try self.init(root, file: file, path: "")
    }

    private init(_ node: Node, file: String, path: String) throws(ConfigurationError) {
        self.file = file
        self.path = path
        line = node.mark?.line ?? 1
        guard case .mapping(let mapping) = node else {
            throw ConfigurationError(place: "\(file):\(line)", message: "\(path): expected a mapping")
        }
        var entries: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.string else {
                throw ConfigurationError(
                    place: "\(file):\(key.mark?.line ?? line)", message: "\(path): keys must be strings")
            }
            entries[name] = value
        }
        self.entries = entries
    }

    /// Fails when the mapping has keys that were not asked for.
    func finish() throws(ConfigurationError) {
        for key in entries.keys.sorted() where !asked.contains(key) {
            let known = asked.sorted().joined(separator: ", ")
            throw failure(entries[key], key, "unknown key; known here: \(known)")
        }
    }

    mutating func section<Value>(
        _ key: String, _ read: (inout ConfigurationReader) throws(ConfigurationError) -> Value
    ) throws(ConfigurationError) -> Value? {
        guard let node = take(key) else { return nil }
        var reader = try ConfigurationReader(node, file: file, path: full(key))
        let value = try read(&reader)
        try reader.finish()
        return value
    }

    /// A list of mappings.
    mutating func sections<Value>(
        _ key: String, _ read: (inout ConfigurationReader) throws(ConfigurationError) -> Value
    ) throws(ConfigurationError) -> [Value]? {
        guard let node = take(key) else { return nil }
        guard let sequence = node.sequence else { throw failure(node, key, "expected a list of mappings") }
        var values: [Value] = []
        for (index, element) in sequence.enumerated() {
            var reader = try ConfigurationReader(element, file: file, path: full("\(key)[\(index)]"))
            values.append(try read(&reader))
            try reader.finish()
        }
        return values
    }

    mutating func string(_ key: String) throws(ConfigurationError) -> String? {
        guard let node = take(key) else { return nil }
        guard let value = node.scalar?.string, !value.isEmpty else { throw failure(node, key, "expected a string") }
        return value
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
        guard let node = take(key) else { return nil }
        return try integer(node, key, in: range)
    }

    mutating func number(_ key: String) throws(ConfigurationError) -> Float? {
        guard let node = take(key) else { return nil }
        guard let value = node.float, Float(value).isFinite else { throw failure(node, key, "expected a number") }
        return Float(value)
    }

    mutating func boolean(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let node = take(key) else { return nil }
        guard let value = node.bool else { throw failure(node, key, "expected true or false") }
        return value
    }

    /// One of some names.
    mutating func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ type: Value.Type = Value.self
    ) throws(ConfigurationError) -> Value? {
        guard let node = take(key) else { return nil }
        guard let value = node.scalar.flatMap({ Value(rawValue: $0.string) }) else {
            throw failure(node, key, "expected one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return value
    }

    /// A mapping from names to whole numbers.
    mutating func integers(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> [String: Int]? {
        guard let node = take(key) else { return nil }
        let reader = try ConfigurationReader(node, file: file, path: full(key))
        var values: [String: Int] = [:]
        for (name, value) in reader.entries {
            values[name] = try integer(value, "\(key).\(name)", in: range)
        }
        return values
    }

    mutating func address(_ key: String) throws(ConfigurationError) -> String? {
        guard let node = take(key) else { return nil }
        return try address(node, key)
    }

    /// A list of addresses that is not empty.
    mutating func addresses(_ key: String) throws(ConfigurationError) -> [String]? {
        guard let node = take(key) else { return nil }
        return try addresses(node, key)
    }

    mutating func addressLists(_ key: String) throws(ConfigurationError) -> [[String]]? {
        guard let node = take(key) else { return nil }
        guard let sequence = node.sequence, !sequence.isEmpty else {
            throw failure(node, key, "expected a list with one list of addresses per shard")
        }
        var lists: [[String]] = []
        for (index, element) in sequence.enumerated() {
            lists.append(try addresses(element, "\(key)[\(index)]"))
        }
        return lists
    }

    /// The error for a key that must be there and is not.
    func missing(_ key: String) -> ConfigurationError {
        ConfigurationError(place: "\(file):\(line)", message: "\(full(key)) is missing")
    }

    /// The error for values that do not go together.
    func refusal(_ message: String) -> ConfigurationError {
        ConfigurationError(place: "\(file):\(line)", message: message)
    }

    private mutating func take(_ key: String) -> Node? {
        asked.insert(key)
        return entries[key]
    }

    private func integer(_ node: Node, _ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard let value = node.int, range.contains(value) else {
            throw failure(node, key, "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func addresses(_ node: Node, _ key: String) throws(ConfigurationError) -> [String] {
        guard let sequence = node.sequence, !sequence.isEmpty else {
            throw failure(node, key, "expected a list of addresses")
        }
        var addresses: [String] = []
        for (index, element) in sequence.enumerated() {
            addresses.append(try address(element, "\(key)[\(index)]"))
        }
        return addresses
    }

    private func address(_ node: Node, _ key: String) throws(ConfigurationError) -> String {
        guard let text = node.scalar?.string, let colon = text.lastIndex(of: ":"), colon > text.startIndex,
            let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port)
        else {
            throw failure(node, key, "expected host:port with a port from 1 to 65535")
        }
        return text
    }

    private func failure(_ node: Node?, _ key: String, _ message: String) -> ConfigurationError {
        let found = node?.scalar.map { ", found '\($0.string)'" } ?? ""
        return ConfigurationError(
            place: "\(file):\(node?.mark?.line ?? line)", message: "\(full(key)): \(message)\(found)")
    }

    private func full(_ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    private static func refusal(_ error: YamlError, file: String) -> ConfigurationError {
        // The parser's own description of this one quotes the whole file.
        if case .duplicatedKeysInMapping(let duplicates, let context) = error {
            let keys = duplicates.sorted().joined(separator: ", ")
            return ConfigurationError(place: "\(file):\(context.mark.line)", message: "appears twice: \(keys)")
        }
        let line = "\(error)".split(separator: "\n").joined(separator: " ")
        return ConfigurationError(place: file, message: "not YAML: \(line)")
    }
}
