/// The columns `latitude` and `longitude` of a table, which may have neither.
struct PlaceColumns {
    enum Outcome {
        case unknown
        case known(Place)
        /// What this column holds is no coordinate, or is missing beside the other.
        case unusable(column: Int)
    }

    private let latitude: Int?
    private let longitude: Int?

    init(_ table: borrowing DelimitedTable) {
        latitude = table.column("latitude")
        longitude = table.column("longitude")
    }

    /// The place in the current row.
    func place(of table: inout DelimitedTable) -> Outcome {
        guard let latitude, let longitude else { return .unknown }
        let isEmpty = (table.bytes(latitude).isEmpty, table.bytes(longitude).isEmpty)
        if isEmpty == (true, true) { return .unknown }
        guard let north = FieldValue.number(table.bytes(latitude)), (-90...90).contains(north) else {
            return .unusable(column: latitude)
        }
        guard let east = FieldValue.number(table.bytes(longitude)),
            let place = Place(latitude: north, longitude: east)
        else { return .unusable(column: longitude) }
        return .known(place)
    }
}
