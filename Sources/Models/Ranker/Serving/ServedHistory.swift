import Blobs
import Features
import Inference
import Kernels
import Networks

/// A sequence of a ranking model in serving.
///
/// Keys are taken in once for all candidates that meet the same behaviours: the whole request, those of one value of the
/// column by which is searched, or one candidate with a list of its own.
struct ServedHistory: Sendable {
    let index: Int
    let specification: RankerSequence
    /// First column in the input of the nets.
    let column: Int
    /// Columns of a key, and of the result.
    let width: Int
    /// Tables in the order of the keys' columns.
    private let tables: [Part]
    private let ages: EmbeddingTable?
    let attention: AttentionNet?
    /// What a query is made of, in the order of the keys' columns.
    private let queries: [Part]
    /// The candidate's field that is searched by.
    let searchField: Int?
    /// The table of the column by which is searched.
    let searchTable: EmbeddingTable?
    /// Its value that stands for none.
    let unknown: UInt32?

    /// A table and what it embeds: a column of the sequence, or a field.
    private struct Part: Sendable {
        let source: Int
        let table: EmbeddingTable
        let offset: Int
    }

    init(
        _ index: Int, _ model: RankerSpecification, column: Int, tables: [String: EmbeddingTable],
        _ file: SafetensorsFile
    ) throws {
        let sequence = model.sequences[index]
        let name = "sequence.\(sequence.name)"
        let ages = tables["\(name).age"]
        let compared = sequence.columns.indices.filter { sequence.columns[$0].query != nil }
        let order = compared + sequence.columns.indices.filter { sequence.columns[$0].query == nil }
        let field = { (column: Int) in model.fields.firstIndex { $0.name == sequence.columns[column].query } }
        let keys = try Self.parts(order, tables) { (column: Int) in sequence.columns[column].table }
        queries = try Self.parts(compared.compactMap(field), tables) { (field: Int) in model.fields[field].tableName }
        width = keys.reduce(0) { $0 + $1.table.width } + (ages?.width ?? 0)
        attention =
            sequence.form == .mean
            ? nil
            : try NetReader(file).attention("\(name).attention", width: queries.reduce(0) { $0 + $1.table.width })
        searchField = sequence.search.flatMap { field($0.column) }
        searchTable = sequence.search.flatMap { tables["table.\(sequence.columns[$0.column].table)"] }
        unknown = sequence.search.flatMap { model.tables[sequence.columns[$0.column].table] }?.padding == true ? 0 : nil
        specification = sequence
        self.index = index
        self.column = column
        self.tables = keys
        self.ages = ages
    }

    private static func parts(
        _ sources: [Int], _ tables: [String: EmbeddingTable], table: (Int) -> String
    ) throws -> [Part] {
        var offset = 0
        return try sources.map { source in
            guard let own = tables["table.\(table(source))"] else {
                throw ModelError(.corrupt, "there is no table '\(table(source))'")
            }
            defer { offset += own.width }
            return Part(source: source, table: own, offset: offset)
        }
    }

    var queryWidth: Int { attention?.width ?? 0 }
    /// Behaviours that a candidate meets, at most.
    var keysMax: Int { min(specification.length, specification.search?.limit ?? .max) }

    /// Whether all rows have the same result: a mean of one list.
    func isShared(_ inputs: RankerInputs) -> Bool {
        attention == nil && lists(inputs) == 1 && inputs.count > 1
    }

    private func lists(_ inputs: RankerInputs) -> Int {
        let history = inputs.histories[index]
        let lists = history.offsets.count - 1
        precondition(
            history.columns.count == tables.count && (lists == inputs.count || lists == 1)
                && history.columns.allSatisfy { $0.count == history.offsets[lists] }
                && (history.ages.count == (ages == nil ? 0 : history.offsets[lists])),
            "\(specification.name): \(tables.count) columns of \(inputs.count) lists or of one")
        return lists
    }

    /// The first `length` behaviours of a list.
    private func newest(_ history: RankerInputs.History, _ list: Int) -> Range<Int> {
        let start = history.offsets[list]
        return start..<min(start + specification.length, history.offsets[list + 1])
    }

    /// Writes the columns of some rows.
    ///
    /// - Parameter x: The first row, all columns; rows are `stride` floats apart.
    func write(
        _ inputs: RankerInputs, rows: Range<Int>, _ scratch: HistoryScratch, to x: UnsafeMutablePointer<Float>,
        stride: Int
    ) {
        for row in rows {
            let target = x + (row - rows.lowerBound) * stride + column
            guard attention == nil else {
                target.update(from: scratch.outputs + row * width, count: width)
                continue
            }
            let history = inputs.histories[index]
            let list = newest(history, history.offsets.count == 2 ? 0 : row)
            for part in tables { part.table.pool(history.columns[part.source], list, .mean, to: target + part.offset) }
            if let ages { ages.pool(history.ages, list, .mean, to: target + width - ages.width) }
        }
    }

    /// What every candidate's attention comes to, `scratch.outputs`.
    func attend(_ inputs: RankerInputs, _ scratch: HistoryScratch) {
        guard attention != nil else { return }
        let history = inputs.histories[index]
        if lists(inputs) > 1 || inputs.count == 1 {
            for row in 0..<inputs.count {
                scratch.take(rows: row..<row + 1)
                find(inputs, row: row, newest(history, row), scratch)
                meet(inputs, scratch)
            }
        } else if let search = specification.search {
            attendByValue(inputs, newest(history, 0), search, scratch)
        } else {
            scratch.take(rows: 0..<inputs.count)
            scratch.take(positions: newest(history, 0))
            meet(inputs, scratch)
        }
    }
}

/// One attention, and what it is over.
extension ServedHistory {
    /// Runs the attention of `scratch.rows` before `scratch.positions`.
    func meet(_ inputs: RankerInputs, _ scratch: HistoryScratch) {
        guard let request = scratch.request, !scratch.positions.isEmpty else {
            for row in scratch.rows { (scratch.outputs + row * width).update(repeating: 0, count: width) }
            return
        }
        request.begin(count: scratch.positions.count) { writeKeys(inputs.histories[index], scratch, to: $0) }
        for start in stride(from: 0, to: scratch.rows.count, by: Tile.rows) {
            let rows = scratch.rows[start..<min(start + Tile.rows, scratch.rows.count)]
            writeQueries(inputs, rows, scratch)
            request.run(
                UnsafeBufferPointer(start: scratch.queries, count: rows.count * queryWidth), rows: rows.count,
                into: UnsafeMutableBufferPointer(start: scratch.results, count: rows.count * width))
            for (place, row) in rows.enumerated() {
                (scratch.outputs + row * width).update(from: scratch.results + place * width, count: width)
            }
        }
    }

    private func writeKeys(
        _ history: RankerInputs.History, _ scratch: HistoryScratch, to keys: UnsafeMutablePointer<Float>
    ) {
        for part in tables {
            scratch.gather(
                history.columns[part.source], scratch.positions[...], of: part.table, to: keys + part.offset,
                stride: width)
        }
        if let ages {
            scratch.gather(history.ages, scratch.positions[...], of: ages, to: keys + width - ages.width, stride: width)
        }
    }

    private func writeQueries(_ inputs: RankerInputs, _ rows: ArraySlice<Int>, _ scratch: HistoryScratch) {
        for part in queries {
            guard case .categorical(let values) = inputs.fields[part.source] else {
                preconditionFailure("a query is a categorical field")
            }
            let target = scratch.queries + part.offset
            if values.count == 1 {
                for place in 0..<rows.count { part.table.copy(Int(values[0]), to: target + place * queryWidth) }
            } else {
                scratch.gather(values, rows, of: part.table, to: target, stride: queryWidth)
            }
        }
    }
}
