extension Decoder {
    /// The values of an object that has no keys but these.
    ///
    /// - Throws: for a key that nothing reads: of several, for the first by name.
    package func values<Key: CodingKey & CaseIterable>(of keys: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try refuseKeys(except: Key.allCases.map(\.stringValue))
        return try container(keyedBy: keys)
    }

    /// Throws for a key that nothing reads: of several, for the first by name.
    package func refuseKeys(except known: [String]) throws {
        let keys = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
        guard let key = keys.first(where: { !known.contains($0) }) else { return }
        throw DecodingError.dataCorrupted(
            DecodingError.Context(
                codingPath: codingPath,
                debugDescription: "unknown key '\(key)'; known here: \(known.joined(separator: ", "))"))
    }
}

/// Any key of an object.
private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
