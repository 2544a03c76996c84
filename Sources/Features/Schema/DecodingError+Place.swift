extension DecodingError {
    /// What is wrong and where, for people: `features[61] (item_watch).window: expected 1h, 1d, found '2d'`.
    ///
    /// - Parameter document: what was decoded, as objects, lists and values; the things of a list are told by their names in it.
    package func message(in document: Any) -> String {
        let place = Self.place(context.codingPath, in: document)
        let text =
            switch self {
            case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
            default: context.debugDescription
            }
        return place.isEmpty ? text : "\(place): \(text)"
    }

    package var context: Context {
        switch self {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
            .dataCorrupted(let found):
            found
        @unknown default: Context(codingPath: [], debugDescription: "\(self)")
        }
    }

    /// What things of a specification are known by, the first that one has.
    private static let names = ["name", "kind", "head", "attribute", "table"]

    private static func place(_ path: [any CodingKey], in document: Any) -> String {
        var place = ""
        var value: Any? = document
        for key in path {
            if let index = key.intValue, let list = value as? [Any] {
                value = list.indices.contains(index) ? list[index] : nil
                let thing = value as? [String: Any]
                let name = names.lazy.compactMap { thing?[$0] as? String }.first
                place += "[\(index)]" + (name.map { " (\($0))" } ?? "")
            } else {
                value = (value as? [String: Any])?[key.stringValue]
                place += (place.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return place
    }
}
