import Kernels
import Networks

/// A block of a ranking model over its inputs.
enum RankerBlock: Sendable {
    /// Added to logits.
    case scalar(RankerScalar)
    case cross(CrossNet, width: Int)
    /// Over the chosen fields and sequences, by place among those that may be.
    case senet(SqueezeExcitation, chosen: [Int])
    case bilinear(Bilinear, chosen: [Int])
    case fibinet(FiBiNet, chosen: [Int])

    /// - Parameters:
    ///   - name: before the names of the parameters.
    ///   - rows: of the tables.
    ///   - inputs: columns of all inputs together.
    init(
        _ name: String, _ crossing: RankerCrossing, _ model: RankerSpecification, rows: [String: Int], inputs: Int,
        in parameters: ParameterSet
    ) throws {
        switch crossing {
        case .linear(let heads):
            self = .scalar(
                try RankerScalar(name, model, rows: rows, vectors: .none, fields: nil, heads: heads, in: parameters))
        case .fm(let width, let fields, let heads):
            let embedded = (fields ?? model.fields.filter { $0.kind != .numeric }.map(\.name)).first
            let vectors =
                width.map { RankerScalar.Vectors.own(width: $0) }
                ?? .embeddings(width: embedded.flatMap(model.width(of:)) ?? 1)
            self = .scalar(
                try RankerScalar(
                    name, model, rows: rows, vectors: vectors, fields: fields, heads: heads, in: parameters))
        case .dcn(let layers, let rank):
            self = .cross(
                try CrossNet(name, width: inputs, layers: layers, rank: rank, in: parameters), width: inputs)
        case .senet(let names, let reduction):
            let chosen = ChosenFields(names, model)
            let block = try SqueezeExcitation(name, layout: chosen.layout, reduction: reduction, in: parameters)
            self = .senet(block, chosen: chosen.places)
        case .bilinear(let form, let names, let pairs):
            let chosen = ChosenFields(names, model)
            let block = try Bilinear(
                name, layout: chosen.layout, form: form.block, pairs: chosen.pairs(pairs), in: parameters)
            self = .bilinear(block, chosen: chosen.places)
        case .fibinet(let form, let names, let pairs, let reduction):
            let chosen = ChosenFields(names, model)
            let block = try FiBiNet(
                name, layout: chosen.layout, form: form.block, pairs: chosen.pairs(pairs), reduction: reduction,
                in: parameters)
            self = .fibinet(block, chosen: chosen.places)
        }
    }

    /// Columns beside the other blocks' outputs; 0 of what is added to logits.
    var outputs: Int {
        switch self {
        case .scalar: 0
        case .cross(_, let width): width
        case .senet(let block, _): block.layout.columns
        case .bilinear(let block, _): block.outputs
        case .fibinet(let block, _): block.outputs
        }
    }

    /// Floating-point operations for a row.
    var operations: Int {
        switch self {
        case .scalar(let block): block.operations
        case .cross(let block, _): block.operations
        case .senet(let block, _): block.operations
        case .bilinear(let block, _): block.operations
        case .fibinet(let block, _): block.operations
        }
    }

    /// - Parameters:
    ///   - x: all inputs side by side, `[n, inputs]`.
    ///   - parts: fields with an embedding, then sequences.
    /// - Returns: parts of n rows, of `outputs` columns together; nothing for a scalar.
    func callAsFunction(_ x: Tensor, parts: [Tensor], in workspace: Workspace) -> [Tensor] {
        let joined = { (chosen: [Int]) in
            chosen.count == 1 ? parts[chosen[0]] : workspace.concatenate(chosen.map { parts[$0] })
        }
        switch self {
        case .scalar: return []
        case .cross(let block, _): return [block(x, in: workspace)]
        case .senet(let block, let chosen): return [block(joined(chosen), in: workspace)]
        case .bilinear(let block, let chosen): return [block(joined(chosen), in: workspace)]
        case .fibinet(let block, let chosen): return block(joined(chosen), in: workspace)
        }
    }
}

/// The fields and sequences that a block chooses.
private struct ChosenFields {
    private let names: [String]
    /// Among all that may be chosen.
    let places: [Int]
    let layout: FieldLayout

    init(_ names: [String]?, _ model: RankerSpecification) {
        let all = model.crossable
        let chosen = names ?? all
        self.names = chosen
        places = chosen.compactMap { all.firstIndex(of: $0) }
        layout = FieldLayout(widths: chosen.compactMap { model.width(of: $0) })
    }

    func pairs(_ pairs: [[String]]?) -> [Bilinear.Pair]? {
        pairs?.map { pair in
            guard let first = names.firstIndex(of: pair[0]), let second = names.firstIndex(of: pair[1]) else {
                preconditionFailure("\(pair) are not among the fields")
            }
            return Bilinear.Pair(first, second)
        }
    }
}

extension RankerCrossing.Form {
    fileprivate var block: Bilinear.Form {
        switch self {
        case .product: .product
        case .elementwise: .elementwise
        }
    }
}
