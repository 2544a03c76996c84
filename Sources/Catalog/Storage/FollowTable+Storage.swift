import Blobs
import Kernels

extension FollowTable {
    /// Reads a table that ``add(to:)`` wrote, and checks every row.
    ///
    /// - Parameter users: rows of the user table it refers to.
    init(_ file: SafetensorsFile, users: Int) throws(CatalogError) {
        let userRows = try file.references("user", as: UInt32.self, below: users, of: "the users")
        self.init(
            users: userRows, authors: try file.column("author", as: UInt64.self, rows: userRows.count),
            times: try file.ascendingTimes("time_ms", rows: userRows.count))
    }

    /// Adds the table's columns: `user` U32, `author` U64, `time_ms` I64.
    func add(to writer: inout SafetensorsWriter) {
        writer.add("user", users)
        writer.add("author", authors)
        writer.add("time_ms", times)
    }
}
