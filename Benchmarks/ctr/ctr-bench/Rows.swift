import Features
import Foundation
import Models

/// The parts of a data set, their values as rows of the tables of the fields.
struct Parts {
    let train: Rows
    let validation: Rows
    let test: Rows
    let tables: [(name: String, rows: Int)]

    init(folder: String, name: String) throws {
        var parts = try ["train", "validation", "test"].map { try Rows(libFM: "\(folder)/\(name).\($0).libfm") }
        let vocabularies = parts[0].columns.map(Vocabulary.init)
        for index in parts.indices { try parts[index].encode(vocabularies) }
        (train, validation, test) = (parts[0], parts[1], parts[2])
        tables = vocabularies.enumerated().map { ("field\($0.offset)", $0.element.tableRows) }
    }
}

/// Rows of a part: a label, and one value of each field.
struct Rows {
    /// By field, `[n]`.
    private(set) var columns: [[UInt32]]
    private(set) var labels: [Float] = []

    var count: Int { labels.count }

    /// Reads lines of libFM's format, `label feature:1 feature:1 ...`, one feature for each field in the same order in all lines.
    ///
    /// - Throws: `RowsError` that names the line.
    init(libFM path: String) throws {
        columns = []
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n")).enumerated() {
            let words = line.split(separator: UInt8(ascii: " "))
            let features = words.dropFirst().compactMap { UInt32(Substring($0.prefix { $0 != UInt8(ascii: ":") })) }
            if index == 0 { columns = features.map { _ in [] } }
            guard let label = words.first.flatMap({ Float(Substring($0)) }), !features.isEmpty,
                features.count == words.count - 1, features.count == columns.count
            else {
                throw RowsError(
                    description: "\(path):\(index + 1): expected a label and \(max(1, columns.count)) features, "
                        + "found \(Substring(line).prefix(80))")
            }
            labels.append(label > 0 ? 1 : 0)
            for (field, feature) in features.enumerated() { columns[field].append(feature) }
        }
    }

    /// The values as rows of tables, 0 for those that are not in the vocabularies.
    mutating func encode(_ vocabularies: [Vocabulary]) throws {
        guard columns.count == vocabularies.count else {
            throw RowsError(description: "expected \(vocabularies.count) fields as in training, found \(columns.count)")
        }
        for (field, vocabulary) in vocabularies.enumerated() {
            columns[field] = columns[field].map { vocabulary.rows[$0] ?? 0 }
        }
    }

    func inputs(_ rows: some Collection<Int>) -> RankerInputs {
        RankerInputs(
            count: rows.count, fields: columns.map { column in .categorical(rows.map { column[$0] }) }, histories: [])
    }

    func labels(_ rows: some Collection<Int>) -> RankerLabels {
        RankerLabels([rows.map { labels[$0] }])
    }
}

/// The values that a field has among the training rows; row 0 of its table is the unknown one's.
struct Vocabulary {
    private(set) var rows: [UInt32: UInt32] = [:]

    init(_ column: [UInt32]) {
        for value in column where rows[value] == nil { rows[value] = UInt32(rows.count + 1) }
    }

    var tableRows: Int { rows.count + 1 }
}

struct RowsError: Error, CustomStringConvertible {
    var description: String
}
