public import Blobs
import Foundation
public import Kernels
public import Networks

/// What a ranking model's component says of itself: all that is needed to read its tensors.
public struct RankerDescription: Codable, Sendable, Hashable {
    public var specification: RankerSpecification
    /// Rows of each table, by name.
    public var rows: [String: Int]
    /// How matrices are held in serving, by name, when that was chosen (`Inference.PrecisionChoice`).
    public var precisions: [String: Precision]?

    private static let key = "ranker"

    public init(
        specification: RankerSpecification, rows: [String: Int], precisions: [String: Precision]? = nil
    ) {
        self.specification = specification
        self.rows = rows
        self.precisions = precisions
    }

    /// Reads the description from a component's metadata.
    public init(_ file: SafetensorsFile) throws(ModelError) {
        guard let text = file.metadata[Self.key] else {
            throw ModelError(.corrupt, "\(file.path): no description of a ranking model in the metadata")
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
        } catch {
            throw ModelError(
                .corrupt, "\(file.path): the description of the ranking model cannot be read", cause: error)
        }
    }

    /// The component: the description in the metadata, parameters F32 by name.
    public func writer(_ parameters: ParameterSet) throws -> SafetensorsWriter {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var writer = SafetensorsWriter(
            metadata: [Self.key: String(decoding: try encoder.encode(self), as: UTF8.self)])
        try parameters.write(to: &writer)
        return writer
    }
}

extension RankerModel {
    /// The model of a component, to serve: parameters are shared with the mapped file, matrices packed.
    ///
    /// - Parameter precisions: Take the place of the component's own: for measuring what they lose.
    /// - Throws: `ModelError` or `NetworkError` when the file does not hold what its description says.
    public init(_ file: SafetensorsFile, precisions: [String: Precision]? = nil) throws {
        let description = try RankerDescription(file)
        try self.init(
            description,
            in: ParameterSet(
                file: file, purpose: .serving, precisions: precisions ?? description.precisions ?? [:]),
            path: file.path)
    }

    /// - Parameter path: Of the file that the parameters come from.
    init(_ description: RankerDescription, in parameters: ParameterSet, path: String) throws {
        do throws(ModelError) {
            try description.specification.validate()
        } catch {
            throw ModelError(.corrupt, "\(path): \(error.message)")
        }
        try self.init(description.specification, rows: description.rows, in: parameters)
    }
}
