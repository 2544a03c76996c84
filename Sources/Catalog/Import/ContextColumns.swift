/// What a table of events tells of scenes beside time and surface: its columns `context.NAME`, and the cell of `latitude` and
/// `longitude` as the field ``ExposureTable/geohashContext``.
struct ContextColumns {
    private static let prefix = "context."
    /// What requests tell under other names, or wildcards mean.
    private static let reserved = ["", "*", "surface", "latitude", "longitude", ExposureTable.geohashContext]

    /// The columns that are read.
    let names: [String]
    private var fields: [(column: Int, field: Int)] = []
    private let places: PlaceColumns
    /// The latitude's column, when there is the longitude's too.
    private var geohash: (column: Int, field: Int)?

    /// Adds the table's fields to the builder.
    init(_ table: borrowing DelimitedTable, in builder: inout DatasetBuilder) throws(CatalogError) {
        let path = table.report.path
        places = PlaceColumns(table)
        let named = table.columns.filter { $0.hasPrefix(Self.prefix) }
        let coordinates = ["latitude", "longitude"]
        let hasPlaces = coordinates.allSatisfy(table.columns.contains)
        names = named + (hasPlaces ? coordinates : [])
        for column in named {
            let name = String(column.dropFirst(Self.prefix.count))
            guard !Self.reserved.contains(name) else {
                throw CatalogError(
                    .invalidInput,
                    "\(path): column \"\(column)\": no context can have this name; columns surface, latitude and "
                        + "longitude tell surface and place")
            }
            fields.append((try table.required(column), builder.addContext(name)))
        }
        if hasPlaces {
            geohash = (try table.required("latitude"), builder.addContext(ExposureTable.geohashContext))
        }
        guard builder.contexts.count <= ExposureTable.contextsMax else {
            throw CatalogError(
                .invalidInput,
                "\(path): \(builder.contexts.count) fields of context; at most \(ExposureTable.contextsMax)")
        }
    }

    /// Puts the row of each field's value in the current row into `values`; false, the row rejected, when one is unusable.
    func read(
        _ table: inout DelimitedTable, into values: inout [UInt32], of builder: inout DatasetBuilder
    ) throws(CatalogError) -> Bool {
        values.removeAll(keepingCapacity: true)
        for (column, field) in fields {
            guard let value = try builder.contextRow(table.bytes(column), field: field) else {
                table.reject(.context, column)
                return false
            }
            values.append(value)
        }
        guard let geohash else { return true }
        switch places.place(of: &table) {
        case .unknown: values.append(0)
        case .known(let place):
            guard let value = try builder.contextRow(place.cell.text, field: geohash.field) else {
                table.reject(.context, geohash.column)
                return false
            }
            values.append(value)
        case .unusable(let column):
            table.reject(.place, column)
            return false
        }
        return true
    }
}
