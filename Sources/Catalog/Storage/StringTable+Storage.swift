public import Blobs

extension StringTable {
    /// Reads the tensors `<name>.bytes` and `<name>.offsets`.
    ///
    /// - Parameter rows: rows there must be; any number when nil.
    /// - Complexity: O(rows); the bytes stay in the mapped file.
    public init(_ file: SafetensorsFile, name: String, rows: Int? = nil) throws(CatalogError) {
        self = try file.stringTable(name, rows: rows)
    }

    /// Adds the tensors `<name>.bytes` and `<name>.offsets`.
    public func add(to writer: inout SafetensorsWriter, name: String) {
        writer.add(strings: name, bytes: bytes, offsets: offsets)
    }
}
