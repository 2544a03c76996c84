public import Features
import Kernels
public import Networks

/// Deep Retrieval's model (Gao et al. 2020): from a user representation x, the probability of every path of D nodes,
/// p(path | x) = prod_d p_d(node_d | node_1 ... node_(d-1), x), and, trained along with it, the small model that scores the
/// items of the paths: cosine of x and an item vector.
///
/// Each p_d is a net with one hidden layer over x and the embeddings of the nodes before, and a softmax over the K nodes.
/// Its first layer is kept in two pieces, one over x and one over the nodes, so that x is multiplied once for all paths.
public struct DeepRetrievalModel {
    public let specification: DeepRetrievalSpecification
    public let space: PathSpace
    private let towers: Towers
    private let layers: [PathLayer]

    public init(
        _ specification: DeepRetrievalSpecification, sizes: TableSizes, in parameters: ParameterSet
    ) throws(NetworkError) {
        self.specification = specification
        space = specification.space
        towers = try Towers(
            user: specification.user, item: specification.item, widths: specification.embeddings, sizes: sizes,
            in: parameters)
        var embeddings: [EmbeddingTable] = []
        var layers: [PathLayer] = []
        for depth in 0..<specification.depth {
            layers.append(try PathLayer(depth, after: embeddings, specification, in: parameters))
            guard depth < specification.depth - 1 else { continue }
            embeddings.append(
                try parameters.table(
                    "node.\(depth)", rows: specification.nodes, width: specification.nodeWidth,
                    initial: .normal(deviation: 0.5)))
        }
        self.layers = layers
    }

    /// x of some users.
    ///
    /// - Returns: `[n, dimension]`.
    public func users(_ inputs: UserInputs, in workspace: Workspace) -> Tensor {
        towers.users(inputs, in: workspace)
    }

    /// What the scorer compares x, made unit length, with.
    ///
    /// - Returns: `[n, dimension]`, rows of unit length.
    public func items(_ inputs: ItemInputs, in workspace: Workspace) -> Tensor {
        workspace.normalizeRows(towers.items(inputs, in: workspace))
    }

    /// The loss of paths: the mean over clicks of -log sum_j p(path_j of the item | user).
    ///
    /// - Parameters:
    ///   - x: `[n, dimension]`.
    ///   - paths: `[n J]`, the J paths of each clicked item.
    /// - Returns: `[1, 1]`.
    public func pathLoss(_ x: Tensor, paths: [UInt32], on tape: Tape) -> Tensor {
        let alternatives = paths.count / max(x.rows, 1)
        precondition(paths.count == x.rows * alternatives, "\(paths.count) paths for \(x.rows) users")
        let targets = layers.indices.map { layer in paths.map { space.node(layer, of: $0) } }
        let owners = (0..<UInt32(paths.count)).map { $0 / UInt32(max(alternatives, 1)) }
        let logits = layers.indices.map { depth -> Tensor in
            let users = layers[depth].users(x, in: tape)
            return depth == 0
                ? layers[depth].logits(users, owners: nil, nodes: [], in: tape)
                : layers[depth].logits(users, owners: owners, nodes: Array(targets[..<depth]), in: tape)
        }
        return tape.mixtureCrossEntropy(logits, targets: targets, alternatives: alternatives)
    }

    /// The loss of the scorer: softmax cross-entropy of each click against the items of the batch, as in ``TwoTowerModel``.
    ///
    /// - Parameters:
    ///   - x: `[n, dimension]`; items: `[n]`, what each user clicked.
    ///   - logProbabilities: `[n]`, log of how likely each item is to be in a batch.
    public func scorerLoss(_ x: Tensor, items: ItemInputs, logProbabilities: [Float], on tape: Tape) -> Tensor {
        let cosines = tape.product(tape.normalizeRows(x), transposed: self.items(items, in: tape))
        return tape.softmaxCrossEntropy(
            tape.scale(cosines, by: 1 / specification.temperature),
            correction: SoftmaxCorrection(
                logProbabilities: logProbabilities, identities: items.items.map(UInt64.init)))
    }

    /// Logits of the next node after each of some beginnings of paths.
    ///
    /// - Parameters:
    ///   - depth: nodes of each beginning.
    ///   - x: `[n, dimension]`.
    ///   - beginnings: `[n w]`, w of each user, as numbers of `depth` digits.
    /// - Returns: `[n w, K]`.
    func logits(depth: Int, x: Tensor, beginnings: [UInt32], in workspace: Workspace) -> Tensor {
        let width = UInt32(max(beginnings.count / max(x.rows, 1), 1))
        let users = layers[depth].users(x, in: workspace)
        guard depth > 0 else { return layers[0].logits(users, owners: nil, nodes: [], in: workspace) }
        return layers[depth].logits(
            users, owners: (0..<UInt32(beginnings.count)).map { $0 / width },
            nodes: (0..<depth).map { layer in beginnings.map { space.node(layer, of: $0, length: depth) } },
            in: workspace)
    }
}

/// One layer of paths: p(node | nodes before, x).
private struct PathLayer {
    /// `[dimension, hidden]`, with the hidden layer's bias.
    private let user: Dense
    /// `[depth * nodeWidth, hidden]`; nil for the first layer.
    private let before: DenseParameter?
    /// `[hidden, K]`.
    private let output: Dense
    /// Of the nodes before, by their place.
    private let embeddings: [EmbeddingTable]

    init(
        _ depth: Int, after embeddings: [EmbeddingTable], _ specification: DeepRetrievalSpecification,
        in parameters: ParameterSet
    ) throws(NetworkError) {
        self.embeddings = embeddings
        let name = "path.\(depth)"
        user = try Dense(
            "\(name).user", inputs: specification.dimension, outputs: specification.hidden, in: parameters)
        before =
            depth == 0
            ? nil
            : try parameters.matrix(
                "\(name).before", rows: depth * specification.nodeWidth, columns: specification.hidden,
                initial: .glorot)
        output = try Dense("\(name).output", inputs: specification.hidden, outputs: specification.nodes, in: parameters)
    }

    /// x's part of the hidden layer, `[n, hidden]`.
    func users(_ x: Tensor, in workspace: Workspace) -> Tensor {
        user(x, in: workspace)
    }

    /// - Parameters:
    ///   - users: `[n, hidden]`.
    ///   - owners: row of `users` of every beginning; nil when there is one for each row.
    ///   - nodes: of every layer before, the node of every beginning.
    /// - Returns: `[beginnings, K]`.
    func logits(_ users: Tensor, owners: [UInt32]?, nodes: [[UInt32]], in workspace: Workspace) -> Tensor {
        var hidden = owners.map { workspace.rows(users, $0) } ?? users
        if let before {
            let parts = zip(embeddings, nodes).map { workspace.lookup($0, $1) }
            // One row of nodes would pass for a row that stands beside all others: it is not added up in the product.
            hidden = workspace.add(hidden, workspace.linear(parts, weight: before, bias: nil))
        }
        return output(workspace.activate(hidden, .relu), in: workspace)
    }
}
