public import Blobs
public import Features
import Foundation

/// What a model component says of itself, as JSON in its metadata: all that is needed to read its tensors.
public struct ModelDescription<Specification: Codable & Sendable>: Codable, Sendable {
    public var specification: Specification
    public var features: FeatureDescription
    public var sizes: TableSizes

    public init(specification: Specification, features: FeatureDescription, sizes: TableSizes) {
        self.specification = specification
        self.features = features
        self.sizes = sizes
    }

    private static var key: String { "model" }

    /// Reads the description from a component's metadata.
    public init(_ file: SafetensorsFile) throws(ModelError) {
        guard let text = file.metadata[Self.key] else {
            throw ModelError(.corrupt, "\(file.path): no model description in the metadata")
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
        } catch {
            throw ModelError(.corrupt, "\(file.path): the model description cannot be read", cause: error)
        }
    }

    /// Metadata for a component's writer.
    public func metadata() throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return [Self.key: String(decoding: try encoder.encode(self), as: UTF8.self)]
    }
}

/// Why a model could not be loaded.
public struct ModelError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// A component contradicts itself or its format.
        case corrupt
        /// A component was not made for the catalogue it is loaded with.
        case mismatch
        /// A specification that says what cannot be meant.
        case invalid
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Refuses a value of a specification that is out of range.
    static func check<Value: Comparable>(
        _ key: String, _ value: Value, _ range: ClosedRange<Value>
    ) throws(ModelError) {
        guard range.contains(value) else {
            throw ModelError(.invalid, "\(key): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
    }

    public var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }
}
