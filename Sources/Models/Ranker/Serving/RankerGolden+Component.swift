public import Blobs
import Features
import Foundation
import Kernels
import Networks

/// The component `ranker-golden`: a description as JSON in the metadata, and tensors `predictions` F32 `[n, heads]`; for a field
/// `field.I` U32 `[rows]`, `field.I` U32 and `field.I.offsets` U64 `[lists + 1]`, or `field.I` F32; for a sequence `history.I.offsets`
/// U64, `history.I.column.J` U32, and with ages `history.I.ages` U32.
extension RankerGolden {
    private static let key = "ranker-golden"
    private static let version = 1

    private struct Description: Codable {
        var version: Int
        var count: Int
        var heads: [String]
        var hasBytes: Bool
        /// `RankerField.Kind` of each field.
        var fields: [RankerField.Kind]
        /// Columns of each sequence.
        var histories: [Int]
        /// Of each sequence.
        var hasAges: [Bool]
    }

    public func writer() throws -> SafetensorsWriter {
        let description = Description(
            version: Self.version, count: inputs.count, heads: heads, hasBytes: hasBytes,
            fields: inputs.fields.map(\.kind), histories: inputs.histories.map(\.columns.count),
            hasAges: inputs.histories.map { !$0.ages.isEmpty })
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var writer = SafetensorsWriter(
            metadata: [Self.key: String(decoding: try encoder.encode(description), as: UTF8.self)])
        writer.add("predictions", predictions, shape: [inputs.count, heads.count])
        for (index, field) in inputs.fields.enumerated() {
            switch field {
            case .categorical(let values): writer.add("field.\(index)", values)
            case .multivalued(let lists):
                writer.add("field.\(index)", lists.rows)
                writer.add("field.\(index).offsets", lists.offsets.map { UInt64($0) })
            case .numbers(let values): writer.add("field.\(index)", values)
            }
        }
        for (index, history) in inputs.histories.enumerated() {
            let name = "history.\(index)"
            writer.add("\(name).offsets", history.offsets.map { UInt64($0) })
            for (column, values) in history.columns.enumerated() { writer.add("\(name).column.\(column)", values) }
            if !history.ages.isEmpty { writer.add("\(name).ages", history.ages) }
        }
        return writer
    }

    /// Reads the component.
    ///
    /// - Throws: `ModelError.corrupt` that says what is wrong with it.
    public init(_ file: SafetensorsFile) throws(ModelError) {
        guard let text = file.metadata[Self.key] else {
            throw ModelError(.corrupt, "\(file.path): no description of golden rows in the metadata")
        }
        do {
            let description = try JSONDecoder().decode(Description.self, from: Data(text.utf8))
            self = try Self.read(file, description)
        } catch let error as ModelError {
            throw error
        } catch {
            throw ModelError(.corrupt, "\(file.path): the golden rows cannot be read", cause: error)
        }
    }

    private static func read(_ file: SafetensorsFile, _ description: Description) throws -> RankerGolden {
        guard description.version == version else {
            throw ModelError(
                .mismatch, "\(file.path): golden rows of version \(description.version), expected \(version)")
        }
        guard description.histories.count == description.hasAges.count, description.count > 0,
            description.histories.allSatisfy({ $0 > 0 }), !description.heads.isEmpty
        else {
            throw ModelError(.corrupt, "\(file.path): the description of the golden rows contradicts itself")
        }
        let fields = try description.fields.enumerated().map { index, kind in
            try column(file, "field.\(index)", kind)
        }
        let histories = try description.histories.enumerated().map { index, columns in
            let name = "history.\(index)"
            return RankerInputs.History(
                columns: try (0..<columns).map { try array(file, "\(name).column.\($0)") },
                ages: description.hasAges[index] ? try array(file, "\(name).ages") : [],
                offsets: try offsets(file, "\(name).offsets"))
        }
        let predictions = Array(
            try file.buffer("predictions", as: Float.self, shape: [description.count, description.heads.count]))
        guard predictions.allSatisfy(\.isFinite) else {
            throw ModelError(.corrupt, "\(file.path): predictions that are not finite")
        }
        return RankerGolden(
            inputs: RankerInputs(count: description.count, fields: fields, histories: histories),
            heads: description.heads, predictions: predictions, hasBytes: description.hasBytes)
    }

    private static func column(
        _ file: SafetensorsFile, _ name: String, _ kind: RankerField.Kind
    ) throws -> RankerInputs.Column {
        switch kind {
        case .categorical: return .categorical(try array(file, name))
        case .numeric: return .numbers(Array(try file.buffer(name, as: Float.self, shape: [nil])))
        case .multivalued:
            let (rows, offsets) = (try array(file, name), try offsets(file, "\(name).offsets"))
            guard offsets.last == rows.count else {
                throw ModelError(
                    .corrupt,
                    "\(file.path): \(name): expected lists of \(rows.count) values, found \(offsets.last ?? 0)")
            }
            return .multivalued(RaggedRows(rows: rows, offsets: offsets))
        }
    }

    private static func array(_ file: SafetensorsFile, _ name: String) throws(BlobError) -> [UInt32] {
        Array(try file.buffer(name, as: UInt32.self, shape: [nil]))
    }

    /// Ascending from 0.
    private static func offsets(_ file: SafetensorsFile, _ name: String) throws -> [Int] {
        let values = try file.buffer(name, as: UInt64.self, shape: [nil])
        guard values.first == 0, zip(values, values.dropFirst()).allSatisfy({ $0 <= $1 }),
            values.allSatisfy({ $0 <= UInt64(Int.max) })
        else { throw ModelError(.corrupt, "\(file.path): tensor \"\(name)\": expected to ascend from 0") }
        return values.map { Int($0) }
    }
}

extension RankerInputs.Column {
    fileprivate var kind: RankerField.Kind {
        switch self {
        case .categorical: .categorical
        case .multivalued: .multivalued
        case .numbers: .numeric
        }
    }
}
