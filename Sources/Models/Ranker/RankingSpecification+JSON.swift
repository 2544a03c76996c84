import Foundation

extension RankingSpecification {
    /// Where the net is in the models' specification.
    static let netPlace = ["ranker", "net"]

    /// The net with what a file says differently: each of its keys as a whole, since a block of another kind has nothing of
    /// the one before; null takes a block out.
    ///
    /// - Throws: `ModelError.invalid` that names a key that is not known.
    static func mergedNet(_ given: Any, into defaults: Any, path: String) throws -> Any {
        let place = netPlace.joined(separator: ".")
        guard let given = given as? [String: Any], var result = defaults as? [String: Any] else {
            throw ModelError(.invalid, "\(path): \(place): expected an object")
        }
        let known = RankerSpecification.Keys.allCases.map(\.rawValue).sorted()
        for (key, value) in given {
            guard known.contains(key) else {
                throw ModelError(
                    .invalid, "\(path): unknown key '\(place).\(key)'; known here: \(known.joined(separator: ", "))")
            }
            result[key] = value is NSNull ? nil : value
        }
        return result
    }
}
