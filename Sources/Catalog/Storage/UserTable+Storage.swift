public import Blobs
import Kernels

extension UserTable {
    /// Fields a table may have: more is a damaged file or a column of numbers taken for categories.
    public static let fieldsMax = 1024

    /// Reads a table that ``add(to:)`` wrote, and checks every row.
    ///
    /// - Complexity: O(rows * fields); the columns stay in the mapped file.
    public init(_ file: SafetensorsFile) throws(CatalogError) {
        let keys = try file.keys("key")
        let names = try file.stringTable("field_name")
        guard names.count <= Self.fieldsMax else {
            throw file.corrupt("field_name.offsets", "expected at most \(Self.fieldsMax) fields, found \(names.count)")
        }
        var fields: [CategoricalField] = []
        for index in 0..<names.count {
            let vocabulary = try file.vocabulary("field.\(index).vocabulary")
            let values = try file.references(
                "field.\(index).value", as: UInt32.self, rows: keys.count, below: vocabulary.count,
                of: "field.\(index).vocabulary")
            fields.append(CategoricalField(name: names[index], vocabulary: vocabulary, values: values))
        }
        self.init(
            keys: keys.reinterpreted(as: UserKey.self),
            publicIDs: try file.stringTable("public_id", rows: keys.count), fields: fields)
    }

    /// Adds the table's columns: `key` U64, `public_id` and `field_name` (strings), and for field i its
    /// `field.<i>.vocabulary` (strings) and `field.<i>.value` U32.
    public func add(to writer: inout SafetensorsWriter) {
        writer.add("key", keys.reinterpreted(as: UInt64.self))
        publicIDs.add(to: &writer, name: "public_id")
        StringTable(fields.map(\.name)).add(to: &writer, name: "field_name")
        for (index, field) in fields.enumerated() {
            field.vocabulary.add(to: &writer, name: "field.\(index).vocabulary")
            writer.add("field.\(index).value", field.values)
        }
    }
}
