import Kernels

/// Bilinear interactions of pairs of fields (FiBiNet, Huang et al., RecSys 2019).
public struct Bilinear: Sendable {
    /// What becomes of a pair.
    public enum Form: String, Sendable, Hashable, Codable, CaseIterable {
        /// `x_i^T W_ij x_j`: one number.
        case product
        /// `x_i * (W_ij x_j)` element by element: as wide as field i.
        case elementwise
    }

    /// Fields i and j of a row.
    public struct Pair: Sendable, Hashable {
        public var first: Int
        public var second: Int

        public init(_ first: Int, _ second: Int) {
            self.first = first
            self.second = second
        }
    }

    public let layout: FieldLayout
    public let form: Form
    public let pairs: [Pair]
    /// `[width of j, width of i]` for each pair, so that row vectors multiply from the left.
    private let weights: [DenseParameter]

    /// Parameters `<name>.<i>.<j>`.
    ///
    /// - Parameter pairs: nil for every two fields.
    public init(
        _ name: String, layout: FieldLayout, form: Form, pairs: [Pair]? = nil, in parameters: ParameterSet
    ) throws(NetworkError) {
        self.layout = layout
        self.form = form
        self.pairs = pairs ?? Bilinear.allPairs(layout.count)
        var weights: [DenseParameter] = []
        for pair in self.pairs {
            precondition(
                pair.first < layout.count && pair.second < layout.count, "\(name): there are \(layout.count) fields")
            weights.append(
                try parameters.matrix(
                    "\(name).\(pair.first).\(pair.second)", rows: layout.widths[pair.second],
                    columns: layout.widths[pair.first], initial: .glorot))
        }
        self.weights = weights
    }

    /// Every two of the fields, i < j.
    public static func allPairs(_ fields: Int) -> [Pair] {
        (0..<fields).flatMap { first in (first + 1..<max(first + 1, fields)).map { Pair(first, $0) } }
    }

    public var outputs: Int {
        form == .product ? pairs.count : pairs.reduce(0) { $0 + layout.widths[$1.first] }
    }

    /// - Parameter x: `[n, layout.columns]`.
    /// - Returns: `[n, outputs]`.
    public func callAsFunction(_ x: Tensor, in workspace: Workspace) -> Tensor {
        workspace.bilinear(x, layout, pairs, weights, form)
    }

    public var operations: Int {
        zip(pairs, weights).reduce(0) { $0 + 2 * $1.1.count + 2 * layout.widths[$1.0.first] }
    }
}

/// FiBiNet's crossing: bilinear interactions of the embeddings, and of the embeddings re-weighted by SENet.
public struct FiBiNet: Sendable {
    private let excitation: SqueezeExcitation
    private let plain: Bilinear
    private let weighted: Bilinear

    /// Parts `<name>.senet`, `<name>.plain` and `<name>.weighted`.
    public init(
        _ name: String, layout: FieldLayout, form: Bilinear.Form, pairs: [Bilinear.Pair]? = nil, reduction: Int = 3,
        in parameters: ParameterSet
    ) throws(NetworkError) {
        excitation = try SqueezeExcitation("\(name).senet", layout: layout, reduction: reduction, in: parameters)
        plain = try Bilinear("\(name).plain", layout: layout, form: form, pairs: pairs, in: parameters)
        weighted = try Bilinear("\(name).weighted", layout: layout, form: form, pairs: pairs, in: parameters)
    }

    public var outputs: Int { plain.outputs + weighted.outputs }

    /// - Parameter x: `[n, layout.columns]`.
    /// - Returns: two tensors of n rows, of `outputs` columns together.
    public func callAsFunction(_ x: Tensor, in workspace: Workspace) -> [Tensor] {
        [plain(x, in: workspace), weighted(excitation(x, in: workspace), in: workspace)]
    }

    public var operations: Int { excitation.operations + plain.operations + weighted.operations }
}
