/// Deep Retrieval (Gao et al., "Deep Retrieval: Learning A Retrievable Structure for Large-Scale Recommendations",
/// arXiv 2007.07203), the channel `deep-retrieval`: users lead to paths, paths to items.
public struct DeepRetrievalSpecification: Codable, Hashable, Sendable {
    /// K: nodes of a layer. Items of a path are about items * paths / nodes^depth.
    public var nodes = 16
    /// D: nodes of a path.
    public var depth = 3
    /// J: paths of an item.
    public var paths = 3
    /// B: paths that a beam search keeps, in serving.
    public var beam = 64
    /// Paths that it keeps when training asks where an item's users would look for it.
    public var trainingBeam = 16
    /// Paths with scores that are remembered of every item: bounds the memory of the path step.
    public var candidates = 64
    /// alpha: weight of |path|^4, which keeps paths balanced.
    public var alpha = 1e-6
    /// Times that the nets go through the clicks.
    public var epochs = 2
    /// Path steps of an epoch, after equal parts of the log; the last epoch has none.
    public var pathSteps = 3
    /// What log p(paths of an item | user) counts beside the cosine when items are scored.
    public var pathWeight: Float = 0
    /// Weight of the scorer's loss beside the paths'.
    public var scorerWeight: Float = 1
    /// Width of a node's embedding.
    public var nodeWidth = 16
    /// Hidden units of a layer's net.
    public var hidden = 64
    public var user = UserTowerSpecification(
        fields: [.profile, .recentItems, .recentCategories], numeric: [], layers: [128, 64])
    public var item = ItemTowerSpecification(fields: [.item, .category, .author], numeric: [], layers: [64])
    public var embeddings = EmbeddingWidths()
    /// Newest clicked items that are pooled.
    public var recentItems = 50
    /// Divides the scorer's cosines before the softmax.
    public var temperature: Float = 0.1

    public init() {}

    /// Width of the user's representation, of the scorer's vectors, and of what both towers end in.
    public var dimension: Int { user.layers.last ?? 0 }

    public var space: PathSpace { PathSpace(nodes: nodes, depth: depth) }

    /// Throws unless the values can be used; the message names the key after `prefix`.
    public func validate(_ prefix: String) throws(ModelError) {
        func check<Value: Comparable>(
            _ key: String, _ value: Value, _ range: ClosedRange<Value>
        ) throws(ModelError) {
            try ModelError.check(prefix + key, value, range)
        }
        try check("nodes", nodes, 2...4_096)
        try check("depth", depth, 1...8)
        guard let count = space.checkedCount else {
            throw ModelError(
                .invalid,
                "\(prefix)nodes: expected nodes^depth of at most \(PathSpace.countMax), found \(nodes)^\(depth)")
        }
        try check("paths", paths, 1...min(16, count))
        try check("beam", beam, paths...1_000)
        try check("trainingBeam", trainingBeam, paths...1_000)
        try check("candidates", candidates, paths...1_024)
        try check("alpha", alpha, 0...1e6)
        try check("epochs", epochs, 1...1_000)
        try check("pathSteps", pathSteps, 1...1_000)
        try check("pathWeight", pathWeight, 0...1e3)
        try check("scorerWeight", scorerWeight, 1e-3...1e3)
        try check("nodeWidth", nodeWidth, 1...1_024)
        try check("hidden", hidden, 1...4_096)
        try check("user.layers", user.layers.count, 1...8)
        try check("item.layers", item.layers.count, 1...8)
        for width in user.layers + item.layers { try check("user.layers, item.layers", width, 1...4_096) }
        guard user.layers.last == item.layers.last else {
            throw ModelError(.invalid, "\(prefix)user.layers and item.layers: expected the same last width")
        }
        try check("recentItems", recentItems, 1...1_000)
        try check("temperature", temperature, 1e-3...1e3)
    }
}

/// The K^D paths of a model, each a number: its nodes as digits to base K, the first the most significant.
public struct PathSpace: Hashable, Sendable {
    public let nodes: Int
    public let depth: Int

    /// Paths at most: the number of items on each is kept, 4 bytes each.
    public static let countMax = 1 << 24

    public init(nodes: Int, depth: Int) {
        self.nodes = nodes
        self.depth = depth
    }

    /// Paths; `nil` when they are more than ``countMax``.
    public var checkedCount: Int? {
        var count = 1
        for _ in 0..<max(depth, 0) {
            let (product, overflow) = count.multipliedReportingOverflow(by: nodes)
            if overflow || product > Self.countMax { return nil }
            count = product
        }
        return count
    }

    public var count: Int { (0..<depth).reduce(1) { count, _ in count * nodes } }

    /// Node `layer`, counted from 0, of a path of `length` nodes.
    @inline(__always)
    public func node(_ layer: Int, of path: UInt32, length: Int) -> UInt32 {
        var rest = path
        for _ in layer + 1..<length { rest /= UInt32(nodes) }
        return rest % UInt32(nodes)
    }

    /// Node `layer` of a whole path.
    public func node(_ layer: Int, of path: UInt32) -> UInt32 { node(layer, of: path, length: depth) }
}
