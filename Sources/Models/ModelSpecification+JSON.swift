public import Foundation

extension ModelSpecification {
    /// The default specification with what a JSON file says differently.
    ///
    /// - Parameters:
    ///   - json: an object with any of the specification's keys, nested as they are; a key left out keeps its default.
    ///   - path: the file, for messages.
    /// - Throws: `ModelError.invalid` that names a key that is not known, or a value that is not of its kind.
    public init(json: Data, path: String) throws(ModelError) {
        let given = try SpecificationFile.document(json, path: path)
        let merged = try Self.merge(given, into: Self.defaults(), at: [], path: path)
        self = try SpecificationFile.read(Self.self, from: merged, path: path)
        try threeTower.fusion.validate(
            "\(path): threeTower.fusion", heads: ThreeTowerSpecification.heads, of: "the pre-ranker")
    }

    /// Whether a file has the models' specification, or something of it, rather than that of one model.
    ///
    /// - Throws: `ModelError.invalid` when it is no JSON object.
    public static func isWritten(in json: Data, path: String) throws(ModelError) -> Bool {
        let given = try SpecificationFile.document(json, path: path) as? [String: Any] ?? [:]
        let own = try defaults() as? [String: Any] ?? [:]
        return given.keys.contains { own[$0] != nil }
    }

    private static func defaults() throws(ModelError) -> Any {
        do {
            return try JSONSerialization.jsonObject(with: JSONEncoder().encode(ModelSpecification()))
        } catch {
            throw ModelError(.invalid, "the default specification cannot be written", cause: error)
        }
    }

    private static func merge(
        _ given: Any, into defaults: Any, at keys: [String], path: String
    ) throws(ModelError) -> Any {
        guard var result = defaults as? [String: Any] else { return given }
        let place = keys.joined(separator: ".")
        guard let given = given as? [String: Any] else {
            throw ModelError(.invalid, "\(path): \(place.isEmpty ? "the file" : place): expected an object")
        }
        // A block of the net of another kind has nothing of the one before: each is changed as a whole; null takes one out.
        if keys == ["ranker", "net"] { return result.merging(given) { $1 } }
        for (key, value) in given {
            guard let old = result[key] else {
                let known = result.keys.sorted().joined(separator: ", ")
                throw ModelError(
                    .invalid,
                    "\(path): \(place.isEmpty ? "" : "\(place): ")unknown key '\(key)'; known here: \(known)")
            }
            result[key] = try merge(value, into: old, at: keys + [key], path: path)
        }
        return result
    }
}
