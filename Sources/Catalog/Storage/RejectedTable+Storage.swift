import Blobs
import Kernels

extension RejectedTable {
    /// Reads a table that ``add(to:)`` wrote, and checks every row.
    ///
    /// - Parameters:
    ///   - users: rows of the user table it refers to.
    ///   - items: rows of the item table.
    init(_ file: SafetensorsFile, users: Int, items: Int) throws(CatalogError) {
        let userRows = try file.references("user", as: UInt32.self, below: users, of: "the users")
        self.init(
            users: userRows,
            items: try file.references("item", as: UInt32.self, rows: userRows.count, below: items, of: "the items"),
            times: try file.ascendingTimes("time_ms", rows: userRows.count))
    }

    /// Adds the table's columns: `user` U32, `item` U32, `time_ms` I64.
    func add(to writer: inout SafetensorsWriter) {
        writer.add("user", users)
        writer.add("item", items)
        writer.add("time_ms", times)
    }
}
