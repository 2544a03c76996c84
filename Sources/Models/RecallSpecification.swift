public import Features

/// What the recall channels besides the two-tower one are built with; the caps bound their work and memory.
public struct RecallSpecification: Codable, Hashable, Sendable {
    public var itemCF = ItemCFSpecification()
    public var swing = SwingSpecification()
    public var userCF = UserCFSpecification()
    public var als = MatrixCompletionSpecification()
    public var sequence = SequenceSpecification()
    public var ease = EASESpecification()
    public var deepRetrieval = DeepRetrievalSpecification()
    public var index = IndexSpecification()
    /// Channels that are not made. By default those that others are measured by, and Deep Retrieval.
    public var off = ["ease", "markov", "deep-retrieval"]

    public init() {}
}

/// How the vectors of `two-tower` and `als` are searched in a shard.
public struct IndexSpecification: Codable, Hashable, Sendable {
    public enum Kind: String, NamedChoice, Hashable {
        /// By the number of vectors.
        case automatic
        case exact
        case bytes = "ivf-int8"
        case codes = "ivf-pq"
    }

    public var kind = Kind.automatic
    /// Share of the true best hundred that a search must find; a build that stays below it fails.
    public var targetRecall = 0.95

    public init() {}
}

public struct ItemCFSpecification: Codable, Hashable, Sendable {
    /// Most recently liked items of a user that count.
    public var historyMax = 500
    /// Similar items kept of every item.
    public var neighbours = 10

    public init() {}
}

public struct SwingSpecification: Codable, Hashable, Sendable {
    /// Added to the number of items that two users have in common.
    public var alpha = 1.0
    /// Most recently liked items of a user that count.
    public var historyMax = 500
    /// Users of an item that count; of more, so many are drawn.
    public var usersMax = 2_000
    /// Similar items kept of every item.
    public var neighbours = 10

    public init() {}
}

public struct UserCFSpecification: Codable, Hashable, Sendable {
    /// Most recently liked items of a user that count, and that his neighbours are offered; the last-n of a request has 200.
    public var historyMax = 200
    /// Users of an item that are found through it; of more, so many are drawn.
    public var usersMax = 1_000
    /// Similar users of every user.
    public var neighbours = 50

    public init() {}
}

/// What a matrix completion minimises.
public enum CompletionLoss: String, NamedChoice, Hashable {
    /// The squared error over all pairs of user and item, weighted by how sure it is that he likes it, or does not.
    case implicit
    /// The squared error over what was shown.
    case explicit
}

/// Alternating least squares, the channel `als`.
public struct MatrixCompletionSpecification: Codable, Hashable, Sendable {
    public var loss = CompletionLoss.implicit
    /// Length of the vectors.
    public var factors = 64
    /// Times that users are fitted to items and items to users.
    public var iterations = 15
    public var regularization: Float = 0.01
    /// Added to an item's weight, 1, for each point of like(u, i); implicit loss only.
    public var alpha: Float = 10
    /// Steps of conjugate gradients in which each vector is fitted, per iteration.
    public var cgSteps = 3
    /// Most recently liked (explicit: shown) items of a user that count.
    public var historyMax = 500

    public init() {}
}

/// What comes next, the channel `sequence`.
public struct SequenceSpecification: Codable, Hashable, Sendable {
    /// Places that two items of a history may be apart; k places apart they count 1/k.
    public var window = 3
    /// 0: often followed items weigh more; 1: all items weigh the same.
    public var normalization = 0.5
    /// Last items of a user that are looked up; the k-th last counts 1/k.
    public var triggers = 5
    /// Most recently liked items of a user that count.
    public var historyMax = 500
    /// Items kept of every item.
    public var neighbours = 50

    public init() {}
}

/// The linear autoencoder with a closed form, the channel `ease`.
public struct EASESpecification: Codable, Hashable, Sendable {
    public var regularization: Float = 200
    /// Most recently liked items of a user that count.
    public var historyMax = 500
    /// Weights kept of every item.
    public var neighbours = 200

    public init() {}
}

extension RecallSpecification {
    /// Throws unless the values can be used; the message names the key.
    public func validate() throws(ModelError) {
        try check("itemCF.historyMax", itemCF.historyMax, 1...Self.historyLimit)
        try check("itemCF.neighbours", itemCF.neighbours, 1...1_000)
        try check("swing.alpha", swing.alpha, 1e-6...1e6)
        try check("swing.historyMax", swing.historyMax, 1...Self.historyLimit)
        try check("swing.usersMax", swing.usersMax, 2...Self.usersLimit)
        try check("swing.neighbours", swing.neighbours, 1...1_000)
        try check("userCF.historyMax", userCF.historyMax, 1...Self.historyLimit)
        try check("userCF.usersMax", userCF.usersMax, 1...1_000_000)
        try check("userCF.neighbours", userCF.neighbours, 1...1_000)
        try check("als.factors", als.factors, 1...1_024)
        try check("als.iterations", als.iterations, 1...1_000)
        try check("als.regularization", als.regularization, 1e-6...1e6)
        try check("als.alpha", als.alpha, 0...1e6)
        try check("als.cgSteps", als.cgSteps, 1...1_000)
        try check("als.historyMax", als.historyMax, 1...1_000_000)
        try check("sequence.window", sequence.window, 1...100)
        try check("sequence.normalization", sequence.normalization, 0...1)
        try check("sequence.triggers", sequence.triggers, 1...200)
        try check("sequence.historyMax", sequence.historyMax, 1...Self.historyLimit)
        try check("sequence.neighbours", sequence.neighbours, 1...1_000)
        try check("ease.regularization", ease.regularization, 1e-3...1e6)
        try check("ease.historyMax", ease.historyMax, 1...Self.historyLimit)
        try check("ease.neighbours", ease.neighbours, 1...10_000)
        try deepRetrieval.validate("recall.deepRetrieval.")
        try check("index.targetRecall", index.targetRecall, 0.5...1)
    }

    /// Two histories' common items are counted in 16 bits.
    public static let historyLimit = 65_535
    /// Swing keeps a number for each pair of an item's users: 1 GiB a thread at this many.
    public static let usersLimit = 32_768

    private func check<Value: Comparable>(
        _ key: String, _ value: Value, _ range: ClosedRange<Value>
    ) throws(ModelError) {
        try ModelError.check("recall.\(key)", value, range)
    }
}
