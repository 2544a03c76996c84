public import Catalog
public import Kernels

/// Builds the item-to-item lists of ItemCF: for every item its `neighbours` most similar ones.
///
/// sim(i, j) = sum over users v who like both of like(v, i) like(v, j), divided by the norms of the two items' columns
/// of like(u, i): the cosine of the columns. Exact: numerators and squared norms are sums of small integers, so neither
/// the order of users nor the number of threads changes a bit of the result.
///
/// Work: the sum over users of (items liked)^2, which the history cap bounds. Memory: the interest matrix, 16 bytes
/// an item for each thread, and the lists.
public struct ItemCFBuilder: Sendable {
    /// Most recently liked items of a user that count.
    public var historyMax = 500
    /// Length of an item's list. Online every list is read whole, so that shards sum to the unsharded result.
    public var neighbours = 10
    public var threads: Int

    public init(historyMax: Int = 500, neighbours: Int = 10, threads: Int = Threads.all.count) {
        self.historyMax = historyMax
        self.neighbours = neighbours
        self.threads = threads
    }

    /// - Parameters:
    ///   - until: showings at or after this moment (milliseconds since 1970) do not count.
    ///   - progress: called now and then, from any thread, with the share of items done, 0...1.
    public func build(
        _ dataset: Dataset, until: Int64? = nil, progress: (@Sendable (Double) -> Void)? = nil
    ) -> SimilarityLists {
        let interests = InterestMatrix(dataset, until: until, historyMax: historyMax)
        return SimilarityLists(
            keys: dataset.items.keys, lists: similarItems(interests, progress: progress),
            figures: interests.figures.merging(["neighbours": Double(neighbours)]) { $1 })
    }

    package func similarItems(_ interests: InterestMatrix, progress: (@Sendable (Double) -> Void)?) -> NeighbourLists {
        let norms = interests.byItem.squaredNorms()
        return NeighbourLists(
            rows: interests.byItem.rows, length: neighbours, threads: Threads(max(1, threads)), progress: progress
        ) {
            SimilarityLane(interests: interests, norms: norms, neighbours: neighbours)
        } neighbours: { lane, item in
            lane.neighbours(of: item)
        }
    }
}
