public import Catalog
public import Kernels

/// Builds the item-to-item lists of Swing: for every item its `neighbours` most similar ones (Yang et al., "Large Scale
/// Product Graph Construction for Recommendation in E-commerce", 2020).
///
/// sim(i, j) = sum over ordered pairs of different users u1, u2 who like both of 1 / (alpha + |J_u1 and J_u2|): two users
/// who agree on little else say more than two members of one circle, who agree on everything.
///
/// An item with more than `usersMax` users counts a fixed draw of them, wherever it stands in a pair; what two users have
/// in common is counted over their whole histories. The same seed gives the same lists on any number of threads.
///
/// Work: for each item i the sum over other items j of |W_i and W_j|^2, at most usersMax^2 histories. Memory: the interest
/// matrix, and for each thread 8 bytes an item and 2 bytes a pair of users (4 MB with 2,000 users).
public struct SwingBuilder: Sendable {
    /// Added to the number of items that two users have in common.
    public var alpha: Double
    /// Most recently liked items of a user that count, at most 65,535.
    public var historyMax: Int
    /// Users of an item that count.
    public var usersMax: Int
    /// Length of an item's list.
    public var neighbours: Int
    public var seed: UInt64
    public var threads: Int

    public init(
        alpha: Double = 1, historyMax: Int = 500, usersMax: Int = 2_000, neighbours: Int = 10, seed: UInt64 = 1,
        threads: Int = Threads.all.count
    ) {
        precondition((1...65_535).contains(historyMax), "common items are counted in 16 bits")
        self.alpha = alpha
        self.historyMax = historyMax
        self.usersMax = usersMax
        self.neighbours = neighbours
        self.seed = seed
        self.threads = threads
    }

    /// - Parameters:
    ///   - until: showings at or after this moment (milliseconds since 1970) do not count.
    ///   - progress: called now and then, from any thread, with the share of items done, 0...1.
    public func build(
        _ dataset: Dataset, until: Int64? = nil, progress: (@Sendable (Double) -> Void)? = nil
    ) -> SimilarityLists {
        let interests = InterestMatrix(dataset, until: until, historyMax: historyMax)
        let drawn = interests.byItem.sampled(max: usersMax, seed: seed)
        let pairs = drawn.capped == 0 ? nil : drawn.rows.transposed(columns: interests.byUser.rows)
        let lists = NeighbourLists(
            rows: drawn.rows.rows, length: neighbours, threads: Threads(max(1, threads)), progress: progress
        ) {
            SwingLane(
                histories: interests.byUser, drawn: pairs, users: drawn.rows, alpha: alpha, historyMax: historyMax,
                neighbours: neighbours)
        } neighbours: { lane, item in
            lane.neighbours(of: item)
        }
        return SimilarityLists(
            keys: dataset.items.keys, lists: lists,
            figures: interests.figures.merging([
                "alpha": alpha, "neighbours": Double(neighbours), "users_per_item_max": Double(usersMax),
                "capped_items": Double(drawn.capped),
            ]) { $1 })
    }
}
