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
            let placed = error.context.codingPath.isEmpty ? misfit(type, in: document) ?? error : error
            throw ModelError(.invalid, "\(path): \(placed.message(in: document))")
        } catch {
            throw ModelError(.invalid, "\(path): \(error)")
        }
    }

    /// JSON's decoder does not say where a number is that does not fit, such as 1.5 for a count; that of property lists does.
    private static func misfit<Value: Decodable>(_ type: Value.Type, in document: Any) -> DecodingError? {
        do {
            let list = try PropertyListSerialization.data(fromPropertyList: document, format: .binary, options: 0)
            _ = try PropertyListDecoder().decode(type, from: list)
            return nil
        } catch {
            return error as? DecodingError
        }
    }
}
