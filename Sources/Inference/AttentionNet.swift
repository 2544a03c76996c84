import Kernels

/// Attention of candidates over the history they share: one user's behaviours before all of his candidates.
///
/// Keys may be wider than queries: what only the history has, its age, follows the columns that are compared.
public final class AttentionNet: Sendable {
    /// d, columns of a query.
    public let width: Int
    /// d + e, columns of a key and of the result.
    public let keyWidth: Int
    let form: Form

    enum Form: Sendable {
        case layers(FactorisedLayers)
        /// A and B.
        case dot(query: DenseLayer, key: DenseLayer)
    }

    /// DIN (Zhou et al., KDD 2018): layers over `[q, k, q - k, q * k, r]`, the weights as they come, not normalised.
    ///
    /// - Parameters:
    ///   - layers: The first takes `4 width + e` inputs, the last gives one output; at least two.
    ///   - width: d.
    public init(layers: [LayerWeights], width: Int) {
        guard let first = layers.first else { preconditionFailure("attention of no layers") }
        precondition(width > 0 && first.inputs >= 4 * width, "\(first.inputs) inputs for queries of \(width)")
        self.width = width
        keyWidth = first.inputs - 3 * width
        form = .layers(FactorisedLayers(layers, width: width))
    }

    /// `softmax(q A . k B / sqrt(h))`.
    ///
    /// - Parameters:
    ///   - query: A, `[d, h]`; key: B, `[d + e, h]`.
    public init(query: LayerWeights, key: LayerWeights) {
        precondition(query.outputs == key.outputs, "queries and keys meet in one width")
        width = query.inputs
        keyWidth = key.inputs
        form = .dot(query: DenseLayer(query, precision: .float32), key: DenseLayer(key, precision: .float32))
    }

    /// Floating-point operations for one candidate before so many keys.
    public func operations(keys: Int) -> Int {
        let summing = 2 * keyWidth * keys
        switch form {
        case .layers(let layers): return summing + layers.operations(keys: keys)
        case .dot(let query, let key): return summing + query.operations + keys * 2 * key.outputs
        }
    }
}

/// The layers of DIN's attention, the first one factorised.
///
/// With W = [Wq; Wk; Wd; Wp; Wr] over `[q, k, q - k, q * k, r]` the first layer is `q (Wq + Wd) + b + [k, r] M`,
/// M = [Wk - Wd + diag(q) Wp; Wr]: one product of width d + e for each pair instead of one of 4 d + e, nothing concatenated.
struct FactorisedLayers: Sendable {
    let width: Int
    let hidden: Int
    let activation: Activation
    /// `q (Wq + Wd) + b`.
    let own: DenseLayer
    /// [Wk - Wd; Wr] and [Wp; 0], both `[d + e, hidden]`.
    let start: PackedMatrix
    let product: PackedMatrix
    let rest: [DenseLayer]

    init(_ layers: [LayerWeights], width d: Int) {
        let first = layers[0]
        precondition(
            layers.count > 1 && layers[layers.count - 1].outputs == 1
                && zip(layers, layers.dropFirst()).allSatisfy { $0.outputs == $1.inputs },
            "attention has a hidden layer at least, one output, and layers that fit together")
        let keyWidth = first.inputs - 3 * d
        let (wq, wk) = (first.rows(0..<d), first.rows(d..<2 * d))
        let (wd, wp) = (first.rows(2 * d..<3 * d), first.rows(3 * d..<4 * d))
        own = DenseLayer(
            LayerWeights(
                inputs: d, outputs: first.outputs, weight: SharedBuffer(zip(wq, wd).map(+)), bias: first.bias),
            precision: .float32)
        let start = zip(wk, wd).map(-) + Array(first.rows(4 * d..<first.inputs))
        let product = Array(wp) + [Float](repeating: 0, count: (keyWidth - d) * first.outputs)
        self.start = Self.packed(start, keyWidth, first.outputs)
        self.product = Self.packed(product, keyWidth, first.outputs)
        width = d
        hidden = first.outputs
        activation = first.activation
        rest = layers.dropFirst().map { DenseLayer($0, precision: .float32) }
    }

    private static func packed(_ values: [Float], _ rows: Int, _ columns: Int) -> PackedMatrix {
        values.withUnsafeBufferPointer { PackedMatrix(MatrixOperand($0, rows: rows, columns: columns)) }
    }

    func operations(keys: Int) -> Int {
        own.operations + 2 * width * hidden
            + keys * (2 * start.rows * hidden + rest.reduce(0) { $0 + $1.operations })
    }
}
