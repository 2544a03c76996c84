import Features
import Kernels
import Networks

/// Logistic regression or a factorisation machine over fields: a number to add to logits.
struct RankerScalar: Sendable {
    /// Where the vectors of the second order come from.
    enum Vectors {
        /// There is no second order.
        case none
        /// The fields' own embeddings.
        case embeddings(width: Int)
        /// Tables of the block.
        case own(width: Int)

        var width: Int? {
            switch self {
            case .none: nil
            case .embeddings(let width), .own(let width): width
            }
        }
    }

    /// Heads it is added to; nil for all.
    let heads: [String]?
    private let specification: RankerSpecification
    private let machine: FactorizationMachine
    /// Fields with an embedding that take part.
    private let chosen: [Int]
    private let numeric: [Int]
    /// First order, one column, by table.
    private let weights: [String: EmbeddingTable]
    /// Second order by table; empty unless the vectors are its own.
    private let factors: [String: EmbeddingTable]

    /// - Parameters:
    ///   - rows: of the tables.
    ///   - fields: that take part; nil for all.
    init(
        _ name: String, _ specification: RankerSpecification, rows: [String: Int], vectors: Vectors, fields: [String]?,
        heads: [String]?, in parameters: ParameterSet
    ) throws {
        self.heads = heads
        self.specification = specification
        let all = specification.fields.indices
        numeric = all.filter { specification.fields[$0].kind == .numeric }
        chosen = all.filter { index in
            let field = specification.fields[index]
            return field.kind != .numeric && fields?.contains(field.name) ?? true
        }
        machine = try FactorizationMachine(
            name, width: vectors.width, numbers: numeric.reduce(0) { $0 + specification.fields[$1].count },
            in: parameters)
        var (weights, factors): ([String: EmbeddingTable], [String: EmbeddingTable]) = ([:], [:])
        for table in Set(chosen.map { specification.fields[$0].tableName }).sorted() {
            guard let count = rows[table], let own = specification.tables[table] else {
                throw ModelError(.mismatch, "the data has no rows for the table '\(table)'")
            }
            let padding: UInt32? = own.padding ? 0 : nil
            weights[table] = try parameters.table(
                "\(name).weights.\(table)", rows: count, width: 1, initial: .zeros, padding: padding)
            if case .own(let width) = vectors {
                factors[table] = try parameters.table(
                    "\(name).factors.\(table)", rows: count, width: width, padding: padding)
            }
        }
        (self.weights, self.factors) = (weights, factors)
    }

    /// - Parameter embedded: the fields' own embeddings and numbers.
    /// - Returns: `[n, 1]`.
    func callAsFunction(
        _ embedded: RankerEmbedding.Output, inputs: RankerInputs, in workspace: Workspace
    ) -> Tensor {
        let linear = chosen.map { lookup($0, weights, inputs, in: workspace) }
        var vectors: [Tensor] = []
        if machine.width != nil {
            vectors = chosen.map {
                factors.isEmpty ? embedded.fields[$0] : lookup($0, factors, inputs, in: workspace)
            }
        }
        let numbers = numeric.map { embedded.fields[$0] }
        let x = numbers.count > 1 ? workspace.concatenate(numbers) : numbers.first
        return machine(linear: linear, fields: vectors, numbers: x, in: workspace)
    }

    private func lookup(
        _ index: Int, _ tables: [String: EmbeddingTable], _ inputs: RankerInputs, in workspace: Workspace
    ) -> Tensor {
        let field = specification.fields[index]
        guard let table = tables[field.tableName] else { preconditionFailure("no table \(field.tableName)") }
        return workspace.repeated(workspace.lookup(field, inputs.fields[index], in: table), rows: inputs.count)
    }

    var operations: Int { machine.operations(fields: chosen.count) }
}
