public import Features
import Kernels
public import Networks

/// A ranking model as its specification says: inputs are embedded, blocks cross them side by side, tasks share what the
/// specification lets them share, and each head has a tower that ends in a logit.
///
/// One definition trains (on a `Tape`) and serves (on a `Workspace`).
public struct RankerModel: Sendable {
    public let specification: RankerSpecification
    /// What each part holds and does for a candidate.
    public let costs: [RankerCost]
    private let embedding: RankerEmbedding
    private let blocks: [RankerBlock]
    private let deep: RankerDeep?
    private let gates: PersonalGates?
    /// Fields that decide the gates.
    private let gateFields: [Int]
    /// nil when heads are sums of scalars alone.
    private let shared: RankerShared?
    private let towers: [MLP]

    /// - Parameters:
    ///   - rows: Rows of each table, by name.
    ///   - parameters: `ParameterSet.shapes()` for a model to be counted only.
    /// - Throws: `ModelError` when the specification cannot be meant or a table is missing; `NetworkError` when a file does
    ///   not hold the parameters.
    public init(
        _ specification: RankerSpecification, rows: [String: Int], in parameters: ParameterSet
    ) throws {
        try specification.validate()
        self.specification = specification
        var costs = RankerCosts(parameters)
        embedding = try RankerEmbedding(specification, rows: rows, in: parameters)
        costs.add("embeddings", operations: embedding.operations.reduce(0, +))
        let width = specification.inputWidth
        blocks = try specification.crossings.enumerated().map { index, crossing in
            let block = try RankerBlock(
                "crossing.\(index)", crossing, specification, rows: rows, inputs: width, in: parameters)
            costs.add("crossing \(index): \(crossing.kindName)", operations: block.operations)
            return block
        }
        deep = try specification.deep.map { try RankerDeep($0, inputs: width, in: parameters) }
        if let deep { costs.add("deep", operations: deep.operations) }
        if specification.hasBody {
            let body = blocks.reduce(deep?.outputs ?? 0) { $0 + $1.outputs }
            let block = try RankerShared(
                specification.shared, inputs: body > 0 ? body : width, tasks: specification.heads.count,
                in: parameters)
            if specification.shared != .none {
                costs.add("shared: \(specification.shared.kindName)", operations: block.operations)
            }
            towers = try specification.heads.map { head in
                let tower = try MLP(
                    "head.\(head.name)", inputs: block.outputs, widths: head.tower + [1], in: parameters)
                costs.add("head \(head.name)", operations: tower.operations)
                return tower
            }
            shared = block
        } else {
            (shared, towers) = (nil, [])
        }
        gateFields = specification.gateFields
        gates = try specification.personal.map {
            try PersonalGates(
                "personal", inputs: specification.gateInputs, hidden: $0.hidden, widths: specification.gatedWidths,
                in: parameters)
        }
        if let gates { costs.add("personal gates", operations: gates.operations) }
        self.costs = costs.all
    }

    /// The logit of each head, `[n, 1]`, in order.
    ///
    /// - Parameter statistics: Is told of the gates of experts; see `makeGateStatistics`.
    public func callAsFunction(
        _ inputs: RankerInputs, in workspace: Workspace, statistics: GateStatistics? = nil
    ) -> [Tensor] {
        let embedded = embedding(inputs, in: workspace)
        let isNumeric = specification.fields.map { $0.kind == .numeric }
        let numbers = embedded.fields.indices.filter { isNumeric[$0] }.map { embedded.fields[$0] }
        let parts = embedded.fields.indices.filter { !isNumeric[$0] }.map { embedded.fields[$0] } + embedded.sequences
        let gates = personalGates(embedded, in: workspace)
        var logits = [Tensor?](repeating: nil, count: specification.heads.count)
        if let shared {
            let x = workspace.joined(parts + numbers)
            var body = deep.map { [$0(x, gates: gates.deep, in: workspace)] } ?? []
            for block in blocks { body += block(x, parts: parts, in: workspace) }
            let tasks = shared(
                body.isEmpty ? x : workspace.joined(body), tasks: towers.count, in: workspace, statistics: statistics)
            for (task, tower) in towers.enumerated() {
                logits[task] = tower([tasks[task]], gates: gates.towers[task], in: workspace)
            }
        }
        for case .scalar(let block) in blocks {
            let value = block(embedded, inputs: inputs, in: workspace)
            for (task, head) in specification.heads.enumerated() where block.heads?.contains(head.name) ?? true {
                logits[task] = logits[task].map { workspace.add($0, value) } ?? value
            }
        }
        return logits.compactMap(\.self)
    }

    /// Gates of the deep net's layers, and of each tower's hidden layers.
    private func personalGates(
        _ embedded: RankerEmbedding.Output, in workspace: Workspace
    ) -> (deep: [Tensor], towers: [[Tensor]]) {
        guard let gates, let personal = specification.personal else {
            return ([], Array(repeating: [], count: towers.count))
        }
        var all = gates(gateFields.map { embedded.fields[$0] }, in: workspace)[...]
        let layers = personal.deep ? all.prefix(specification.deep?.widths.count ?? 0) : []
        all = all.dropFirst(layers.count)
        let own = specification.heads.map { head in
            let count = personal.towers ? head.tower.count : 0
            defer { all = all.dropFirst(count) }
            return Array(all.prefix(count))
        }
        return (Array(layers), own)
    }

    /// What counts the gates of experts; nil when the tasks share no experts.
    public func makeGateStatistics() -> GateStatistics? {
        switch shared {
        case .mmoe(let block): block.makeStatistics()
        case .ple(let block): block.makeStatistics()
        default: nil
        }
    }
}

extension Workspace {
    func joined(_ parts: [Tensor]) -> Tensor {
        parts.count == 1 ? parts[0] : concatenate(parts)
    }
}

extension RankerSpecification {
    /// Columns of all inputs together.
    var inputWidth: Int {
        fields.reduce(0) { $0 + ($1.kind == .numeric ? $1.count : 0) }
            + crossable.reduce(0) { $0 + (width(of: $1) ?? 0) }
    }

    fileprivate var gateFields: [Int] {
        (personal?.fields ?? []).compactMap { name in fields.firstIndex { $0.name == name } }
    }

    fileprivate var gateInputs: Int {
        gateFields.reduce(0) { $0 + (width(of: fields[$1].name) ?? fields[$1].count) }
    }

    /// Outputs of the layers that are gated: of the deep net, then of the towers, in order.
    fileprivate var gatedWidths: [Int] {
        guard let personal else { return [] }
        return (personal.deep ? deep?.widths ?? [] : []) + (personal.towers ? heads.flatMap(\.tower) : [])
    }
}
