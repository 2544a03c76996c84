import Features
import Kernels
import Networks

/// The embeddings of a row's fields and what its sequences come to.
struct RankerEmbedding: Sendable {
    /// A tensor `[n, width]` for each field, in order.
    struct Output {
        /// By field: embeddings (without columns in a model that has no use for them), or numbers as they are.
        var fields: [Tensor]
        /// By sequence.
        var sequences: [Tensor]
    }

    private let specification: RankerSpecification
    let tables: [String: EmbeddingTable]
    private let sequences: [RankerHistory]

    init(
        _ specification: RankerSpecification, rows: [String: Int], in parameters: ParameterSet
    ) throws {
        var tables: [String: EmbeddingTable] = [:]
        let used = specification.usesEmbeddings ? specification.tables : [:]
        for (name, table) in used.sorted(by: { $0.key < $1.key }) {
            guard let count = rows[name], count > 0 else {
                throw ModelError(.mismatch, "the data has no rows for the table '\(name)'")
            }
            tables[name] = try parameters.table(
                "table.\(name)", rows: count, width: table.width, padding: table.padding ? 0 : nil)
        }
        self.specification = specification
        self.tables = tables
        sequences = try specification.sequences.map {
            try RankerHistory($0, specification, tables: tables, in: parameters)
        }
    }

    func callAsFunction(_ inputs: RankerInputs, in workspace: Workspace) -> Output {
        precondition(
            inputs.fields.count == specification.fields.count && inputs.histories.count == sequences.count,
            "\(specification.fields.count) fields and \(sequences.count) sequences, "
                + "found \(inputs.fields.count) and \(inputs.histories.count)")
        let fields = zip(specification.fields, inputs.fields).map { field, column in
            workspace.repeated(embed(field, column, in: workspace), rows: inputs.count)
        }
        let outputs = zip(sequences, inputs.histories).map { sequence, history in
            workspace.repeated(
                sequence(history, rows: inputs.count, fields: fields, inputs: inputs, in: workspace),
                rows: inputs.count)
        }
        return Output(fields: fields, sequences: outputs)
    }

    private func embed(
        _ field: RankerField, _ column: RankerInputs.Column, in workspace: Workspace
    ) -> Tensor {
        if case .numbers(let values) = column, field.kind == .numeric {
            return workspace.input(values, columns: field.count)
        }
        guard specification.usesEmbeddings else { return workspace.input(rows: 1, columns: 0) { _ in } }
        return workspace.lookup(field, column, in: table(of: field))
    }

    private func table(of field: RankerField) -> EmbeddingTable {
        guard let table = tables[field.tableName] else { preconditionFailure("no table \(field.tableName)") }
        return table
    }

    /// Floating-point operations of each sequence for a candidate, when histories are as long as they may be.
    var operations: [Int] { sequences.map(\.operations) }
}

extension Workspace {
    /// The rows of a field in one of its tables, pooled when they are lists.
    func lookup(_ field: RankerField, _ column: RankerInputs.Column, in table: EmbeddingTable) -> Tensor {
        switch (field.kind, column) {
        case (.categorical, .categorical(let rows)): return lookup(table, rows)
        case (.multivalued, .multivalued(let lists)):
            return lookup(table, lists, pooling: field.pooling == .mean ? .mean : .sum)
        default: preconditionFailure("\(field.name) is \(field.kind)")
        }
    }

    /// One row repeated, or the rows there are.
    func repeated(_ x: Tensor, rows count: Int) -> Tensor {
        precondition(x.rows == count || x.rows == 1, "\(count) rows, found \(x.rows)")
        return x.rows == count ? x : rows(x, [UInt32](repeating: 0, count: count))
    }
}
