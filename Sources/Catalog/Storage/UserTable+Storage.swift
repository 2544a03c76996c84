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
        self.init(
            keys: keys.reinterpreted(as: UserKey.self),
            publicIDs: try file.stringTable("public_id", rows: keys.count),
            fields: try file.fields("field", rows: keys.count, max: Self.fieldsMax))
    }

    /// Adds the table's columns: `key` U64, `public_id` and `field_name` (strings), and for field i its
    /// `field.<i>.vocabulary` (strings) and `field.<i>.value` U32.
    public func add(to writer: inout SafetensorsWriter) {
        writer.add("key", keys.reinterpreted(as: UInt64.self))
        publicIDs.add(to: &writer, name: "public_id")
        writer.add(fields: fields, name: "field")
    }
}
