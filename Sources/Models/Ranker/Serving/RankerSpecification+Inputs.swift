public import Features
import Networks

extension RankerSpecification {
    /// Checks that rows can be run: as many columns as there are fields, of their kinds and lengths, within their tables.
    ///
    /// - Parameters:
    ///   - rows: Rows of each table, by name.
    ///   - path: Where the inputs come from, for messages.
    /// - Throws: `ModelError.mismatch` that names the first field or sequence that does not fit.
    /// - Complexity: O(values).
    public func check(_ inputs: RankerInputs, rows: [String: Int], path: String) throws(ModelError) {
        let check = InputCheck(path: path, count: inputs.count)
        try check.count(fields.count, inputs.fields.count, "fields")
        try check.count(sequences.count, inputs.histories.count, "sequences")
        for (field, column) in zip(fields, inputs.fields) {
            try check.field(field, column, rows: rows[field.tableName] ?? 0)
        }
        for (sequence, history) in zip(sequences, inputs.histories) {
            try check.history(sequence, history, rows: sequence.columns.map { rows[$0.table] ?? 0 })
        }
    }
}

private struct InputCheck {
    let path: String
    /// Rows.
    let count: Int

    func count(_ expected: Int, _ found: Int, _ what: String) throws(ModelError) {
        guard found == expected else { throw mismatch(what, "\(expected)", "\(found)") }
    }

    func field(_ field: RankerField, _ column: RankerInputs.Column, rows: Int) throws(ModelError) {
        let place = "field '\(field.name)'"
        switch (field.kind, column) {
        case (.categorical, .categorical(let values)):
            try lists(values.count, place)
            try within(values, rows, place)
        case (.multivalued, .multivalued(let values)):
            try lists(values.count, place)
            try within(values.rows, rows, place)
        case (.numeric, .numbers(let values)):
            guard values.count == field.count || values.count == count * field.count else {
                throw mismatch(place, "\(field.count) numbers of one row or of \(count)", "\(values.count)")
            }
            guard values.allSatisfy(\.isFinite) else { throw mismatch(place, "finite numbers", "others") }
        case (_, .categorical): throw mismatch(place, field.kind.rawValue, "categorical")
        case (_, .multivalued): throw mismatch(place, field.kind.rawValue, "multivalued")
        case (_, .numbers): throw mismatch(place, field.kind.rawValue, "numeric")
        }
    }

    func history(
        _ sequence: RankerSequence, _ history: RankerInputs.History, rows: [Int]
    ) throws(ModelError) {
        let place = "sequence '\(sequence.name)'"
        let offsets = history.offsets
        guard offsets.first == 0, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw mismatch(place, "lists that follow each other", "others")
        }
        try lists(offsets.count - 1, place)
        let behaviours = offsets[offsets.count - 1]
        try count(sequence.columns.count, history.columns.count, "\(place): columns")
        for (column, values) in history.columns.enumerated() {
            try count(behaviours, values.count, "\(place): behaviours of column \(column)")
            try within(values, rows[column], "\(place): column \(column)")
        }
        try count(sequence.ageWidth > 0 ? behaviours : 0, history.ages.count, "\(place): ages")
        try within(history.ages, AgeBuckets.count, "\(place): ages")
    }

    private func lists(_ found: Int, _ place: String) throws(ModelError) {
        guard found == count || found == 1 else { throw mismatch(place, "\(count) rows or one", "\(found)") }
    }

    private func within(_ values: [UInt32], _ rows: Int, _ place: String) throws(ModelError) {
        guard let greatest = values.max(), greatest >= rows else { return }
        throw mismatch(place, "rows of a table of \(rows)", "\(greatest)")
    }

    private func mismatch(_ what: String, _ expected: String, _ found: String) -> ModelError {
        ModelError(.mismatch, "\(path): \(what): expected \(expected), found \(found)")
    }
}
