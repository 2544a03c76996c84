public import Blobs
import Kernels

extension ExposureTable {
    /// Context fields a table may have: each is four bytes of every exposure, and of every request.
    public static let contextsMax = 64
    /// Known values of a context field: each is a row of an embedding table.
    public static let contextValuesMax = 1_000_000

    /// The context field that is made from coordinates: their ``Place/cell``, as a Geohash string.
    public static let geohashContext = "geohash"

    private static let negativesName = "has_negatives"

    /// Reads a table that ``add(to:)`` wrote, and checks every row.
    ///
    /// - Parameters:
    ///   - users: rows of the user table the exposures refer to.
    ///   - items: rows of the item table.
    /// - Complexity: O(rows); the columns stay in the mapped file.
    public init(_ file: SafetensorsFile, users: Int, items: Int) throws(CatalogError) {
        let surfaceNames = try file.vocabulary("surface_name")
        let userRows = try file.references("user", as: UInt32.self, below: users, of: "the users")
        let rows = userRows.count
        guard let negatives = file.metadata[Self.negativesName].flatMap(Bool.init) else {
            throw CatalogError(
                .corrupt,
                "\(file.path): metadata \"\(Self.negativesName)\": expected true or false, found "
                    + (file.metadata[Self.negativesName].map { "\"\($0.prefix(80))\"" } ?? "nothing"))
        }
        self.init(
            users: userRows,
            items: try file.references("item", as: UInt32.self, rows: rows, below: items, of: "the items"),
            times: try file.ascendingTimes("time_ms", rows: rows),
            actions: try file.column("actions", as: UInt16.self, rows: rows),
            watchSeconds: try file.amounts("watch_seconds", rows: rows),
            surfaces: try file.references(
                "surface", as: UInt16.self, rows: rows, below: surfaceNames.count, of: "surface_name"),
            surfaceNames: surfaceNames, contexts: try file.contexts(rows: rows), hasNegatives: negatives)
    }

    /// Adds the table's columns: `user` and `item` U32, `time_ms` I64, `actions` U16, `watch_seconds` F32, `surface`
    /// U16, `surface_name` (strings), its contexts' if there are any, and the metadata `has_negatives`.
    public func add(to writer: inout SafetensorsWriter) {
        writer.metadata[Self.negativesName] = String(hasNegatives)
        writer.add("user", users)
        writer.add("item", items)
        writer.add("time_ms", times)
        writer.add("actions", actions)
        writer.add("watch_seconds", watchSeconds)
        writer.add("surface", surfaces)
        surfaceNames.add(to: &writer, name: "surface_name")
        writer.add(contexts: contexts)
    }
}
