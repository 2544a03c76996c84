import Features
import Kernels
import Networks

/// A sequence of a ranking model: which behaviours a candidate meets, and what they come to.
///
/// The columns that are compared with the candidate come first, then those only behaviours have, then the age.
struct RankerHistory: Sendable {
    private let specification: RankerSequence
    /// Columns in the order of the keys.
    private let order: [Int]
    /// By column of the specification.
    private let tables: [EmbeddingTable]
    private let ages: EmbeddingTable?
    private let attention: TargetAttention?
    /// Fields whose embeddings, side by side, are the query.
    private let queryFields: [Int]
    /// The candidate's field that is searched by.
    private let searchField: Int?
    /// Its value that stands for none.
    private let unknown: UInt32?

    init(
        _ sequence: RankerSequence, _ model: RankerSpecification, tables: [String: EmbeddingTable],
        in parameters: ParameterSet
    ) throws {
        specification = sequence
        let own = sequence.columns.compactMap { tables[$0.table] }
        precondition(own.count == sequence.columns.count, "\(sequence.name): a table is missing")
        self.tables = own
        let compared = sequence.columns.indices.filter { sequence.columns[$0].query != nil }
        order = compared + sequence.columns.indices.filter { sequence.columns[$0].query == nil }
        let field = { (index: Int) in model.fields.firstIndex { $0.name == sequence.columns[index].query } }
        queryFields = compared.compactMap(field)
        searchField = sequence.search.flatMap { field($0.column) }
        let searched = sequence.search.flatMap { model.tables[sequence.columns[$0.column].table] }
        unknown = searched?.padding == true ? 0 : nil
        let name = "sequence.\(sequence.name)"
        ages =
            sequence.ageWidth > 0
            ? try parameters.table("\(name).age", rows: AgeBuckets.count, width: sequence.ageWidth) : nil
        let width = compared.reduce(0) { $0 + own[$1].width }
        let extra = own.reduce(sequence.ageWidth) { $0 + $1.width } - width
        switch sequence.form {
        case .mean: attention = nil
        case .layers, .dot:
            attention = try TargetAttention(
                "\(name).attention", form: sequence.form == .dot ? .dot : .layers, width: width, extra: extra,
                hidden: sequence.hidden, in: parameters)
        }
    }

    /// - Parameters:
    ///   - rows: n.
    ///   - fields: embeddings of the fields, n rows each.
    /// - Returns: `[n, width]`, or one row when it is the same for all.
    func callAsFunction(
        _ history: RankerInputs.History, rows: Int, fields: [Tensor], inputs: RankerInputs, in workspace: Workspace
    ) -> Tensor {
        precondition(
            history.columns.count == tables.count && (history.count == rows || history.count == 1)
                && history.columns.allSatisfy { $0.count == history.offsets[history.count] },
            "\(specification.name): \(tables.count) columns of \(rows) lists or of one")
        precondition(
            (ages == nil) == history.ages.isEmpty || history.offsets[history.count] == 0,
            "\(specification.name): an age for every behaviour, or for none")
        guard let attention else { return pooled(newest(history), in: workspace) }
        let isShared = history.count == 1 && rows > 1 && specification.search == nil
        let met = specification.search == nil ? newest(history) : found(history, rows: rows, inputs: inputs)
        let pairs =
            isShared
            ? AttentionPairs(queries: rows, sharedKeys: met.offsets[1]) : AttentionPairs(offsets: met.offsets)
        var parts = order.map { workspace.lookup(tables[$0], met.columns[$0]) }
        if let ages { parts.append(workspace.lookup(ages, met.ages)) }
        let queries = queryFields.map { fields[$0] }
        return attention(
            queries.count == 1 ? queries[0] : workspace.concatenate(queries),
            parts.count == 1 ? parts[0] : workspace.concatenate(parts), pairs, in: workspace)
    }

    private func pooled(_ history: RankerInputs.History, in workspace: Workspace) -> Tensor {
        var parts = order.map { column in
            workspace.lookup(
                tables[column], RaggedRows(rows: history.columns[column], offsets: history.offsets), pooling: .mean)
        }
        if let ages {
            parts.append(
                workspace.lookup(ages, RaggedRows(rows: history.ages, offsets: history.offsets), pooling: .mean))
        }
        return parts.count == 1 ? parts[0] : workspace.concatenate(parts)
    }

    /// The first `length` behaviours of every list.
    private func newest(_ history: RankerInputs.History) -> RankerInputs.History {
        let limit = specification.length
        guard zip(history.offsets, history.offsets.dropFirst()).contains(where: { $1 - $0 > limit }) else {
            return history
        }
        var positions: [Int] = []
        var offsets = [0]
        for list in 0..<history.count {
            let start = history.offsets[list]
            positions.append(contentsOf: start..<min(start + limit, history.offsets[list + 1]))
            offsets.append(positions.count)
        }
        return history.chosen(positions, offsets)
    }

    /// What the search of each row finds among the first `length` behaviours of its list.
    private func found(_ history: RankerInputs.History, rows: Int, inputs: RankerInputs) -> RankerInputs.History {
        guard let search = specification.search, let searchField,
            case .categorical(let candidates) = inputs.fields[searchField]
        else { preconditionFailure("\(specification.name) has no search") }
        var (positions, offsets): ([Int], [Int]) = ([], [0])
        var (own, scores): ([Int], [Float]) = ([], [])
        for row in 0..<rows {
            let list = history.count == 1 ? 0 : row
            let start = history.offsets[list]
            let end = min(start + specification.length, history.offsets[list + 1])
            let members = history.columns[search.column][start..<end]
            let candidate = candidates[candidates.count == 1 ? 0 : row]
            own.removeAll(keepingCapacity: true)
            switch search.kind {
            case .hard:
                HistorySearch.hard(
                    category: candidate, in: members, unknown: unknown, limit: search.limit, appendingTo: &own)
            case .soft:
                HistorySearch.soft(
                    candidate: candidate, in: members, of: tables[search.column], limit: search.limit,
                    scores: &scores, appendingTo: &own)
            }
            positions.append(contentsOf: own.lazy.map { start + $0 })
            offsets.append(positions.count)
        }
        return history.chosen(positions, offsets)
    }

    /// Floating-point operations for a candidate before a history of full length.
    var operations: Int {
        let width = tables.reduce(specification.ageWidth) { $0 + $1.width }
        let met = min(specification.length, specification.search?.limit ?? .max)
        // A soft search compares with every behaviour.
        let searching =
            specification.search?.kind == .soft
            ? 2 * specification.length * tables[specification.search?.column ?? 0].width : 0
        return searching + (attention?.operations(keys: met) ?? width * met)
    }
}

extension RankerInputs.History {
    /// The behaviours at `positions`, as lists of their own.
    fileprivate func chosen(_ positions: [Int], _ offsets: [Int]) -> Self {
        Self(
            columns: columns.map { column in positions.map { column[$0] } },
            ages: ages.isEmpty ? [] : positions.map { ages[$0] }, offsets: offsets)
    }
}
