import Catalog
import Kernels

/// Finds the values of a data set's context fields by name.
struct ContextIndex: Sendable {
    private struct Field: Sendable {
        let name: String
        let vocabulary: StringTable
        let rows: KeyIndex

        init(_ field: CategoricalField) {
            name = field.name
            vocabulary = field.vocabulary
            let keys = (0..<field.vocabulary.count).map { PublicID.key(of: field.vocabulary[$0]) }
            rows = KeyIndex(SharedBuffer(keys))
        }

        /// The row of a value, 0 of an empty one, one past the vocabulary of a value that it does not have.
        func row(of value: String) -> UInt32 {
            guard let row = rows.row(of: PublicID.key(of: value)), vocabulary[row] == value else {
                return UInt32(vocabulary.count)
            }
            return UInt32(row)
        }
    }

    private let fields: [Field]
    /// Keys of a request's context that are read: the fields' but that of the cell, which coordinates tell, and those that
    /// are known whatever the data set.
    let known: Set<String>

    /// - Complexity: O(length of all values).
    init(_ fields: [CategoricalField]) {
        self.fields = fields.map(Field.init)
        known = Set(fields.map(\.name)).subtracting([ExposureTable.geohashContext])
            .union(["city", "latitude", "longitude", "surface"])
    }

    /// For each field the row of its value, 0 when it is not told.
    func rows(_ context: [String: String], place: Place?) -> [UInt32] {
        fields.map { field in
            let value = field.name == ExposureTable.geohashContext ? place?.cell.text : context[field.name]
            return value.map(field.row) ?? 0
        }
    }
}
