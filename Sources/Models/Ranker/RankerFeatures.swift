public import Blobs
public import Catalog
public import Features
import Foundation
public import Kernels

/// What makes a ranking model's inputs, in the component of the model: the fitted features in the metadata, beside
/// `user_key` U64 `[U]` and, of tables whose rare values are unknown, `vocabulary.<table>` U32.
public enum RankerFeatures {
    private static let key = "features"
    private static let prefix = "vocabulary."

    /// Adds the features to a model's component.
    public static func add(
        _ fitted: FittedFeatures, users: SharedBuffer<UserKey>, to writer: inout SafetensorsWriter
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        writer.metadata[key] = String(decoding: try encoder.encode(fitted), as: UTF8.self)
        writer.add("user_key", users.reinterpreted(as: UInt64.self))
        for (table, rows) in fitted.vocabularies.sorted(by: { $0.key < $1.key }) { writer.add(prefix + table, rows) }
    }

    /// Reads the fitted features of a model's component.
    public static func fitted(_ file: SafetensorsFile) throws -> FittedFeatures {
        guard let text = file.metadata[key] else {
            throw ModelError(.corrupt, "\(file.path): no features in the metadata")
        }
        var fitted: FittedFeatures
        do {
            fitted = try JSONDecoder().decode(FittedFeatures.self, from: Data(text.utf8))
            try fitted.schema.validate()
        } catch {
            throw ModelError(.corrupt, "\(file.path): the features cannot be read", cause: error)
        }
        for tensor in file.tensors where tensor.name.hasPrefix(prefix) {
            let table = String(tensor.name.dropFirst(prefix.count))
            let rows = try file.buffer(tensor.name, as: UInt32.self, shape: [nil])
            guard let limit = fitted.rows[table], rows.allSatisfy({ $0 < limit }) else {
                throw ModelError(
                    .corrupt, "\(file.path): tensor \"\(tensor.name)\": expected rows of the table '\(table)'")
            }
            fitted.vocabularies[table] = Array(rows)
        }
        return fitted
    }

    /// The encoder of a model's component, and empty statistics for it.
    ///
    /// - Parameters:
    ///   - columns: of the catalogue the model was made with.
    ///   - itemIndex: Rows of that catalogue by key.
    /// - Throws: `ModelError.mismatch` for another catalogue.
    /// - Complexity: O(items + users).
    public static func encoder(
        _ file: SafetensorsFile, columns: ItemFeatureColumns, itemIndex: KeyIndex
    ) throws -> (encoder: RankingEncoder, statistics: RankingStatistics) {
        let fitted = try fitted(file)
        let keys = try file.buffer("user_key", as: UInt64.self, shape: [nil])
        let sizes = ["item": columns.count + 1, "category": columns.categoryCount, "author": columns.authorCount]
        for (table, size) in sizes {
            let expected = fitted.vocabularies[table]?.count ?? fitted.rows[table] ?? size
            guard expected == size else {
                throw ModelError(
                    .mismatch, "\(file.path): table '\(table)': made for \(expected) rows, the catalogue has \(size)")
            }
        }
        let statistics = fitted.makeStatistics(columns: columns)
        let encoder = RankingEncoder(
            fitted, columns: columns, itemIndex: itemIndex, userIndex: KeyIndex(keys), statistics: statistics)
        return (encoder, statistics)
    }
}

extension RankingStatistics {
    public static let componentKind = "statistics"

    /// The `statistics` component: by part `<owner>[.<field>].values` F32 and `.slots` I32.
    public func component() -> SafetensorsWriter {
        var writer = SafetensorsWriter()
        for part in parts {
            writer.add("\(part.tensorName).values", part.table.values)
            writer.add("\(part.tensorName).slots", part.table.slots)
        }
        return writer
    }

    /// Takes in the counts of a component that was made for the same schema and catalogue.
    ///
    /// - Throws: `BlobError` for counts of other shapes.
    public mutating func restore(_ file: SafetensorsFile) throws {
        try restore { part in
            let values = try file.buffer(
                "\(part.tensorName).values", as: Float.self, shape: [part.table.values.count])
            let slots = try file.buffer("\(part.tensorName).slots", as: Int32.self, shape: [part.table.slots.count])
            guard values.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
                throw ModelError(
                    .corrupt, "\(file.path): tensor \"\(part.tensorName).values\": expected counts of 0 or more")
            }
            return (Array(values), Array(slots))
        }
    }
}

extension RankingStatistics.Part {
    fileprivate var tensorName: String { split.map { "\(owner.rawValue).\($0)" } ?? owner.rawValue }
}
