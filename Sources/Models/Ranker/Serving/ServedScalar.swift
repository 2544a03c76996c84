import Blobs
import Features
import Inference
import Kernels
import Networks

/// Logistic regression or a factorisation machine in serving: a number to add to logits. What the request's own fields bring is
/// added up once.
struct ServedScalar: Sendable {
    /// Places of the heads it is added to.
    let heads: [Int]
    /// Columns of a vector of the second order; 0 without one.
    let width: Int
    private let bias: Float
    private let terms: [Term]
    private let numbers: [Numbers]
    /// Of the numbers: w, v, and |v|^2.
    private let weights: SharedBuffer<Float>
    private let factors: SharedBuffer<Float>
    private let squares: [Float]

    /// A field with an embedding.
    private struct Term: Sendable {
        let field: Int
        let pooling: Pooling
        let weights: EmbeddingTable
        /// nil without second order.
        let vectors: EmbeddingTable?
    }

    private struct Numbers: Sendable {
        let field: Int
        let count: Int
        /// Place of the first among all numbers.
        let first: Int
    }

    /// What has been added up of some rows.
    private struct Sums {
        /// `[rows]`: w x.
        let linear: UnsafeMutablePointer<Float>
        /// `[rows]`: |v x|^2.
        let squares: UnsafeMutablePointer<Float>
        /// `[rows, width]`: v x.
        let vectors: UnsafeMutablePointer<Float>
        /// `[width]`.
        let pooled: UnsafeMutablePointer<Float>
    }

    /// - Parameter name: of the block's parameters.
    init(
        _ name: String, _ crossing: RankerCrossing, _ model: RankerSpecification, tables: [String: EmbeddingTable],
        _ layers: ServedLayers
    ) throws {
        var (chosen, own): ([String]?, Int?) = (nil, nil)
        var isSecondOrder = false
        if case .fm(let width, let fields, _) = crossing { (own, chosen, isSecondOrder) = (width, fields, true) }
        terms = try model.fields.indices.compactMap { index in
            let field = model.fields[index]
            guard field.kind != .numeric, chosen?.contains(field.name) ?? true else { return nil }
            let vectors = own == nil ? "table.\(field.tableName)" : "\(name).factors.\(field.tableName)"
            guard let weights = tables["\(name).weights.\(field.tableName)"], !isSecondOrder || tables[vectors] != nil
            else { throw ModelError(.corrupt, "there is no table '\(field.tableName)'") }
            return Term(
                field: index, pooling: field.pooling.pooling, weights: weights,
                vectors: isSecondOrder ? tables[vectors] : nil)
        }
        var (numbers, count): ([Numbers], Int) = ([], 0)
        for (index, field) in model.fields.enumerated() where field.kind == .numeric {
            numbers.append(Numbers(field: index, count: field.count, first: count))
            count += field.count
        }
        let width = isSecondOrder ? own ?? terms.first?.vectors?.width ?? 1 : 0
        self.numbers = numbers
        self.width = width
        bias = try layers.values("\(name).bias")[0]
        weights = count > 0 ? try layers.values("\(name).weights") : []
        let factors: SharedBuffer<Float> = count > 0 && width > 0 ? try layers.values("\(name).factors") : []
        self.factors = factors
        squares =
            width == 0
            ? []
            : (0..<count).map { number in
                kernels.dot(factors.address + number * width, factors.address + number * width, count: width)
            }
        heads = model.heads.indices.filter { crossing.heads?.contains(model.heads[$0].name) ?? true }
    }

    var need: ArenaNeed {
        let one = ArenaNeed(floats: 1) + ArenaNeed(floats: 1) + ArenaNeed(floats: width) + ArenaNeed(floats: width)
        let tile = ArenaNeed(floats: Tile.rows) + ArenaNeed(floats: Tile.rows)
        return one + tile + ArenaNeed(floats: Tile.rows * width) + ArenaNeed(floats: width)
    }

    /// Adds the block's value to the logits of its heads.
    ///
    /// - Parameter logits: `[n, columns]`, a column for each head of the model.
    func add(
        _ inputs: RankerInputs, to logits: UnsafeMutablePointer<Float>, columns: Int, in arena: InferenceArena
    ) {
        arena.scope {
            let base = makeSums(rows: 1, in: arena)
            base.linear[0] = bias
            base.squares[0] = 0
            base.vectors.update(repeating: 0, count: width)
            add(inputs, 0..<1, shared: true, to: base)
            let tile = makeSums(rows: min(Tile.rows, inputs.count), in: arena)
            for start in stride(from: 0, to: inputs.count, by: Tile.rows) {
                let rows = start..<min(start + Tile.rows, inputs.count)
                for row in 0..<rows.count {
                    tile.linear[row] = base.linear[0]
                    tile.squares[row] = base.squares[0]
                    (tile.vectors + row * width).update(from: base.vectors, count: width)
                }
                add(inputs, rows, shared: false, to: tile)
                for row in 0..<rows.count {
                    let value = tile.linear[row] + pairs(tile, row)
                    for head in heads { logits[(start + row) * columns + head] += value }
                }
            }
        }
    }

    private func makeSums(rows: Int, in arena: InferenceArena) -> Sums {
        Sums(
            linear: arena.take(rows), squares: arena.take(rows), vectors: arena.take(rows * width),
            pooled: arena.take(width))
    }

    /// The sum over pairs: half of |sum v x|^2 - sum |v x|^2.
    private func pairs(_ sums: Sums, _ row: Int) -> Float {
        guard width > 0 else { return 0 }
        let vector = sums.vectors + row * width
        return 0.5 * (kernels.dot(vector, vector, count: width) - sums.squares[row])
    }

    /// Adds up the fields that all rows share, or the others.
    private func add(_ inputs: RankerInputs, _ rows: Range<Int>, shared: Bool, to sums: Sums) {
        for term in terms where inputs.isShared(term.field) == shared {
            switch inputs.fields[term.field] {
            case .categorical(let values): add(values, term, rows, to: sums)
            case .multivalued(let lists): add(lists, term, rows, to: sums)
            case .numbers: preconditionFailure("field \(term.field) is no number")
            }
        }
        for own in numbers where inputs.isShared(own.field, numbers: own.count) == shared {
            guard case .numbers(let values) = inputs.fields[own.field] else {
                preconditionFailure("field \(own.field) is of numbers")
            }
            add(values, own, rows, to: sums)
        }
    }

    private func add(_ values: [UInt32], _ term: Term, _ rows: Range<Int>, to sums: Sums) {
        for (place, row) in rows.enumerated() {
            sums.linear[place] += term.weights.address(of: values[row])[0]
            guard let vectors = term.vectors else { continue }
            add(vectors.address(of: values[row]), to: sums, place)
        }
    }

    private func add(_ lists: RaggedRows, _ term: Term, _ rows: Range<Int>, to sums: Sums) {
        for (place, row) in rows.enumerated() {
            let list = lists.offsets[row]..<lists.offsets[row + 1]
            var weight: Float = 0
            for position in list { weight += term.weights.address(of: lists.rows[position])[0] }
            sums.linear[place] += term.pooling == .mean ? weight / Float(max(1, list.count)) : weight
            guard let vectors = term.vectors else { continue }
            vectors.pool(lists.rows, list, term.pooling, to: sums.pooled)
            add(sums.pooled, to: sums, place)
        }
    }

    private func add(_ values: [Float], _ own: Numbers, _ rows: Range<Int>, to sums: Sums) {
        for (place, row) in rows.enumerated() {
            for column in 0..<own.count {
                let (x, number) = (values[row * own.count + column], own.first + column)
                sums.linear[place] += x * weights[number]
                guard width > 0 else { continue }
                kernels.axpy(x, factors.address + number * width, sums.vectors + place * width, count: width)
                sums.squares[place] += x * x * squares[number]
            }
        }
    }

    private func add(_ vector: UnsafePointer<Float>, to sums: Sums, _ place: Int) {
        kernels.axpy(1, vector, sums.vectors + place * width, count: width)
        sums.squares[place] += kernels.dot(vector, vector, count: width)
    }
}
