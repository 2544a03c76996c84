public import Foundation

extension ModelSpecification {
    /// The default specification with what a JSON file says differently.
    ///
    /// - Parameters:
    ///   - json: an object with any of the specification's keys, nested as they are; a key left out keeps its default.
    ///   - path: the file, for messages.
    /// - Throws: `ModelError.invalid` that names a key that is not known, or a value that is not of its kind.
    public init(json: Data, path: String) throws(ModelError) {
        do {
            let defaults = try JSONSerialization.jsonObject(with: JSONEncoder().encode(ModelSpecification()))
            let given = try JSONSerialization.jsonObject(with: json)
            let merged = try Self.merge(given, into: defaults, at: [], path: path)
            self = try JSONDecoder().decode(Self.self, from: JSONSerialization.data(withJSONObject: merged))
            let written = try JSONSerialization.jsonObject(with: JSONEncoder().encode(self))
            if let key = RankerSpecification.unknownKey(of: merged, in: written, at: "") {
                throw ModelError(.invalid, "\(path): unknown key '\(key)'")
            }
        } catch let error as ModelError {
            throw error
        } catch let error as DecodingError {
            throw ModelError(.invalid, "\(path): \(Self.describe(error))")
        } catch {
            throw ModelError(.invalid, "\(path): expected a JSON object: \(error.localizedDescription)")
        }
        try threeTower.fusion.validate(
            "\(path): threeTower.fusion", heads: ThreeTowerSpecification.heads, of: "the pre-ranker")
    }

    private static func merge(_ given: Any, into defaults: Any, at keys: [String], path: String) throws -> Any {
        guard var result = defaults as? [String: Any] else { return given }
        guard let given = given as? [String: Any] else {
            throw ModelError(
                .invalid, "\(path): \(keys.isEmpty ? "the file" : keys.joined(separator: ".")): expected an object")
        }
        for (key, value) in given {
            guard let old = result[key] else {
                let known = result.keys.sorted().joined(separator: ", ")
                throw ModelError(
                    .invalid, "\(path): unknown key '\((keys + [key]).joined(separator: "."))'; known here: \(known)")
            }
            let place = keys + [key]
            if place == RankingSpecification.netPlace {
                result[key] = try RankingSpecification.mergedNet(value, into: old, path: path)
            } else {
                result[key] = try merge(value, into: old, at: place, path: path)
            }
        }
        return result
    }

    static func describe(_ error: DecodingError) -> String {
        let context: DecodingError.Context
        switch error {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found): context = found
        case .keyNotFound(_, let found): context = found
        @unknown default: return "\(error)"
        }
        // A number that does not fit, of all things, is told as an underlying error without a place.
        let place = context.codingPath.map(\.stringValue).joined(separator: ".")
        if place.isEmpty, let cause = context.underlyingError { return "\(cause)" }
        return "\(place): \(context.debugDescription)"
    }
}
