public import Catalog
public import Kernels

/// Builds the item-to-item weights of EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019): the
/// closed form B = I - P diag(1 / diag P), P = (X^T X + lambda I)^-1, X the users' likes as zeros and ones.
///
/// The best `neighbours` positive weights of every item are kept. Work: O(items^3). Memory: items^2 floats, and so a limit
/// on the catalogue: 20,000 items take 1.6 GB and minutes.
public struct EASEBuilder: Sendable {
    public static let itemsMax = 20_000

    public var regularization: Float
    /// Most recently liked items of a user that count.
    public var historyMax: Int
    /// Length of an item's list.
    public var neighbours: Int
    public var threads: Int

    public init(
        regularization: Float = 200, historyMax: Int = 500, neighbours: Int = 100, threads: Int = Threads.all.count
    ) {
        self.regularization = regularization
        self.historyMax = historyMax
        self.neighbours = neighbours
        self.threads = threads
    }

    /// - Throws: when the catalogue has more than ``itemsMax`` items, or the matrix cannot be inverted.
    public func build(
        _ dataset: Dataset, until: Int64? = nil, progress: ((Double) -> Void)? = nil
    ) throws(RecallError) -> SimilarityLists {
        let n = dataset.items.count
        guard n <= Self.itemsMax else {
            throw RecallError(
                .invalidRequest, "ease: \(n) items; a closed form is offered for at most \(Self.itemsMax)")
        }
        let interests = InterestMatrix(dataset, until: until, historyMax: historyMax)
        var gram = Self.gram(interests.byUser, items: n)
        for item in 0..<n { gram[item * n + item] += regularization }
        let pool = Threads(max(1, threads))
        let isInverted = gram.withUnsafeMutableBufferPointer {
            kernels.invertPositiveDefinite($0, count: n, threads: pool, progress: progress)
        }
        guard isInverted else {
            throw RecallError(.invalidRequest, "ease: the regularisation \(regularization) is too small to invert with")
        }
        let lists = NeighbourLists(rows: n, length: neighbours, threads: pool, progress: nil) {
            TopK(neighbours)
        } neighbours: { top, item in
            // The weight from item to j: B_ij = -P_ij / P_jj.
            for other in 0..<n where other != item {
                let weight = -gram[item * n + other] / gram[other * n + other]
                if weight > 0 { top.offer(score: weight, id: UInt64(other)) }
            }
            return top.take().map { .init(row: Int($0.id), similarity: $0.score) }
        }
        return SimilarityLists(
            keys: dataset.items.keys, lists: lists,
            figures: interests.figures.merging([
                "neighbours": Double(neighbours), "regularization": Double(regularization),
            ]) { $1 })
    }

    /// How many users like both of two items, `[n, n]`.
    private static func gram(_ likes: SparseRows, items n: Int) -> [Float] {
        var gram = [Float](repeating: 0, count: n * n)
        gram.withUnsafeMutableBufferPointer { gram in
            for user in 0..<likes.rows {
                for first in likes.range(user) {
                    let row = Int(likes.columns[first]) * n
                    for second in likes.range(user) { gram[row + Int(likes.columns[second])] += 1 }
                }
            }
        }
        return gram
    }
}
