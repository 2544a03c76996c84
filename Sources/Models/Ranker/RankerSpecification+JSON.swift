import Features
public import Foundation

extension RankerSpecification {
    /// Reads a specification.
    ///
    /// - Parameters:
    ///   - json: an object; what is left out keeps its default.
    ///   - path: the file, for messages.
    /// - Throws: `ModelError.invalid` that names a key that is not known, a value that is not of its kind, or what cannot be
    ///   meant.
    public init(json: Data, path: String) throws(ModelError) {
        self = try SpecificationFile.read(
            Self.self, from: SpecificationFile.document(json, path: path), path: path)
        do throws(ModelError) {
            try validate()
        } catch {
            throw ModelError(.invalid, "\(path): \(error.message)")
        }
    }

    /// The JSON of this specification, every default written out, keys in order.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    private enum Keys: String, CodingKey, CaseIterable {
        case tables, fields, sequences, crossings, deep, personal, shared, heads, negatives
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            tables: try values.decode([String: RankerTable].self, forKey: .tables),
            fields: try values.decode([RankerField].self, forKey: .fields),
            sequences: try values.value(.sequences, or: []),
            crossings: try values.value(.crossings, or: []),
            deep: try values.decodeIfPresent(RankerDeepNet.self, forKey: .deep),
            personal: try values.decodeIfPresent(RankerPersonalGates.self, forKey: .personal),
            shared: try values.value(.shared, or: .none),
            heads: try values.decode([RankerHead].self, forKey: .heads),
            negatives: try values.decodeIfPresent(RankerNegatives.self, forKey: .negatives))
    }
}

extension KeyedDecodingContainer {
    func value<Value: Decodable>(_ key: Key, or fallback: Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? fallback
    }
}

extension RankerTable {
    private enum Keys: String, CodingKey, CaseIterable {
        case width, padding
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(width: try values.decode(Int.self, forKey: .width), padding: try values.value(.padding, or: true))
    }
}

extension RankerField {
    private enum Keys: String, CodingKey, CaseIterable {
        case name, kind, table, pooling, count
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            try values.decode(String.self, forKey: .name), try values.decode(Kind.self, forKey: .kind),
            table: try values.decodeIfPresent(String.self, forKey: .table),
            pooling: try values.value(.pooling, or: .mean), count: try values.value(.count, or: 1))
    }
}

extension RankerSequence {
    private enum Keys: String, CodingKey, CaseIterable {
        case name, columns, form, hidden, ageWidth, length, search
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            try values.decode(String.self, forKey: .name),
            columns: try values.decode([Column].self, forKey: .columns),
            form: try values.decode(Form.self, forKey: .form),
            hidden: try values.value(.hidden, or: [36]), ageWidth: try values.value(.ageWidth, or: 0),
            length: try values.value(.length, or: 50),
            search: try values.decodeIfPresent(Search.self, forKey: .search))
    }
}

extension RankerSequence.Column {
    private enum Keys: String, CodingKey, CaseIterable {
        case table, query
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            table: try values.decode(String.self, forKey: .table),
            query: try values.decodeIfPresent(String.self, forKey: .query))
    }
}

extension RankerSequence.Search {
    private enum Keys: String, CodingKey, CaseIterable {
        case kind, column, limit
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            try values.decode(Kind.self, forKey: .kind), column: try values.decode(Int.self, forKey: .column),
            limit: try values.value(.limit, or: 100))
    }
}

extension RankerDeepNet {
    private enum Keys: String, CodingKey, CaseIterable {
        case widths, dropout, normalization
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            widths: try values.decode([Int].self, forKey: .widths), dropout: try values.value(.dropout, or: 0),
            normalization: try values.value(.normalization, or: .none))
    }
}

extension RankerPersonalGates {
    private enum Keys: String, CodingKey, CaseIterable {
        case fields, hidden, deep, towers
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            fields: try values.decode([String].self, forKey: .fields), hidden: try values.value(.hidden, or: 32),
            deep: try values.value(.deep, or: true), towers: try values.value(.towers, or: false))
    }
}

extension RankerHead {
    private enum Keys: String, CodingKey, CaseIterable {
        case name, kind, weight, tower, given, threshold
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            try values.decode(String.self, forKey: .name), try values.decode(Kind.self, forKey: .kind),
            weight: try values.value(.weight, or: 1), tower: try values.value(.tower, or: []),
            given: try values.decodeIfPresent(String.self, forKey: .given),
            threshold: try values.value(.threshold, or: 0.8))
    }
}

extension RankerNegatives {
    private enum Keys: String, CodingKey, CaseIterable {
        case head, rate
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: Keys.self)
        self.init(
            head: try values.decode(String.self, forKey: .head), rate: try values.decode(Float.self, forKey: .rate))
    }
}
