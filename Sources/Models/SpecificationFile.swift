import Features
import Foundation

/// Specifications in JSON. What is wrong with one is told with its file, and the place in it.
enum SpecificationFile {
    /// The file's object, as lists, dictionaries and values.
    static func document(_ json: Data, path: String) throws(ModelError) -> Any {
        do {
            return try JSONSerialization.jsonObject(with: json)
        } catch {
            let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey] ?? error.localizedDescription
            throw ModelError(.invalid, "\(path): expected a JSON object: \(reason)")
        }
    }

    /// - Throws: `ModelError.invalid` that names a key that is not known, or a value that is not of its kind.
    static func read<Value: Decodable>(
        _ type: Value.Type, from document: Any, path: String
    ) throws(ModelError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: document))
        } catch let error as DecodingError {
            let placed = error.context.codingPath.isEmpty ? Misfit.first(of: type, in: document) ?? error : error
            throw ModelError(.invalid, "\(path): \(placed.message(in: document))")
        } catch {
            throw ModelError(.invalid, "\(path): \(error)")
        }
    }
}

/// A number that does not fit what it is for, such as 1.5 for a count: the decoder says only that there is one.
private struct Misfit {
    private var path: [Step] = []
    private var number = 0.0

    private struct Step: CodingKey {
        var stringValue: String
        var intValue: Int?

        init(stringValue: String) { self.stringValue = stringValue }
        init(intValue: Int) { (stringValue, self.intValue) = ("\(intValue)", intValue) }
    }

    /// The number without which, and those before it, the decoder has nothing to say of numbers.
    static func first<Value: Decodable>(of type: Value.Type, in document: Any) -> DecodingError? {
        var document = document
        for candidate in candidates(in: document, at: []) {
            document = replaced(document, at: candidate.path[...])
            guard isAccepted(type, document) else { continue }
            let problem = candidate.number.rounded() == candidate.number ? "a number that fits" : "a whole number"
            return .dataCorrupted(
                DecodingError.Context(
                    codingPath: candidate.path, debugDescription: "expected \(problem), found \(candidate.number)"))
        }
        return nil
    }

    private static func isAccepted<Value: Decodable>(_ type: Value.Type, _ document: Any) -> Bool {
        do {
            _ = try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: document))
            return true
        } catch {
            return (error as? DecodingError)?.context.codingPath.isEmpty == false
        }
    }

    /// Numbers with a fraction, and large ones.
    private static func candidates(in value: Any, at path: [Step]) -> [Misfit] {
        if let object = value as? [String: Any] {
            return object.sorted { $0.key < $1.key }
                .flatMap { candidates(in: $0.value, at: path + [Step(stringValue: $0.key)]) }
        }
        if let list = value as? [Any] {
            return list.enumerated().flatMap { candidates(in: $0.element, at: path + [Step(intValue: $0.offset)]) }
        }
        guard let number = value as? Double, number.rounded() != number || number.magnitude > 1e15 else { return [] }
        return [Misfit(path: path, number: number)]
    }

    private static func replaced(_ value: Any, at path: ArraySlice<Step>) -> Any {
        guard let step = path.first else { return 0 }
        if var list = value as? [Any], let index = step.intValue {
            list[index] = replaced(list[index], at: path.dropFirst())
            return list
        }
        guard var object = value as? [String: Any], let old = object[step.stringValue] else { return value }
        object[step.stringValue] = replaced(old, at: path.dropFirst())
        return object
    }
}
