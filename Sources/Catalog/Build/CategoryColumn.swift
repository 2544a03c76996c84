import Kernels

/// A categorical field of a data set being built, with a value for each user or for each event.
package struct CategoryColumn: Sendable {
    package let name: String
    private var vocabulary: InternedStrings
    /// Rows of the vocabulary, up to the last place that was told a value.
    private var values: [UInt32] = []

    /// - Parameter valuesMax: different values that are known, at most.
    init(_ name: String, valuesMax: Int = .max - 1) {
        self.name = name
        vocabulary = InternedStrings(kind: "value of \(name)", first: [""], rowsMax: valuesMax + 1)
    }

    /// The row of a value, 0 of an empty one; nil if it is too long, not UTF-8, or one too many.
    mutating func row(of value: String) throws(CatalogError) -> UInt32? {
        try vocabulary.row(of: value)
    }

    mutating func row(ofUTF8 value: UnsafeRawBufferPointer) throws(CatalogError) -> UInt32? {
        try vocabulary.row(ofUTF8: value)
    }

    /// Gives a user or an event the value in `row`.
    mutating func set(_ place: Int, to row: UInt32) {
        let missing = place + 1 - values.count
        if missing > 0 { values.append(contentsOf: repeatElement(0, count: missing)) }
        values[place] = row
    }

    /// The values of places in the given order; those that were told none are unknown.
    func field(_ places: some Collection<Int>) -> CategoricalField {
        CategoricalField(
            name: name, vocabulary: vocabulary.table(),
            values: SharedBuffer(places.map { $0 < values.count ? values[$0] : 0 }))
    }
}
