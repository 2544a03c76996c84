public import Blobs
import Kernels

extension SafetensorsFile {
    /// Reads fields that ``Blobs/SafetensorsWriter/add(fields:name:)`` wrote, and checks every row.
    ///
    /// - Parameters:
    ///   - rows: of the table that the fields belong to.
    ///   - max: fields there may be.
    func fields(_ name: String, rows: Int, max: Int) throws(CatalogError) -> [CategoricalField] {
        let names = try stringTable("\(name)_name")
        guard names.count <= max else {
            throw corrupt("\(name)_name.offsets", "expected at most \(max) fields, found \(names.count)")
        }
        var fields: [CategoricalField] = []
        for index in 0..<names.count {
            let vocabulary = try vocabulary("\(name).\(index).vocabulary")
            let values = try references(
                "\(name).\(index).value", as: UInt32.self, rows: rows, below: vocabulary.count,
                of: "\(name).\(index).vocabulary")
            fields.append(CategoricalField(name: names[index], vocabulary: vocabulary, values: values))
        }
        return fields
    }

    /// The context fields of `rows` exposures, or, of none, what values they have; none of a file written without them.
    public func contexts(rows: Int = 0) throws(CatalogError) -> [CategoricalField] {
        guard contains("context_name.offsets") else { return [] }
        return try fields("context", rows: rows, max: ExposureTable.contextsMax)
    }
}

extension SafetensorsWriter {
    /// Adds `<name>_name` (strings), and for field i its `<name>.<i>.vocabulary` (strings) and `<name>.<i>.value` U32.
    mutating func add(fields: [CategoricalField], name: String) {
        StringTable(fields.map(\.name)).add(to: &self, name: "\(name)_name")
        for (index, field) in fields.enumerated() {
            field.vocabulary.add(to: &self, name: "\(name).\(index).vocabulary")
            add("\(name).\(index).value", field.values)
        }
    }

    /// Adds context fields under the name `context`; nothing when there are none.
    public mutating func add(contexts: [CategoricalField]) {
        if !contexts.isEmpty { add(fields: contexts, name: "context") }
    }
}
