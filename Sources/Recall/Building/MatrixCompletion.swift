public import Catalog
public import Kernels
public import Models

/// Matrix completion by alternating least squares: user and item vectors whose inner products fit the log.
///
/// Implicit feedback (Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008): the minimum of
/// sum over all (u, i) of c_ui (p_ui - a_u . b_i)^2 + lambda (|A|^2 + |B|^2), with p = 1 and c = 1 + alpha like(u, i) for what was
/// liked, p = 0 and c = 1 for all else.
///
/// Explicit: the minimum of sum over observed (u, i) of (like(u, i) - a_u . b_i)^2 + lambda (|A|^2 + |B|^2). What was shown and
/// not liked is observed, with 0.
///
/// Work: an iteration is O(cgSteps ((users + items) factors^2 + pairs factors)). Memory: the interest matrix and 4 bytes a
/// factor of each user and item. The same seed gives the same factors, whatever the number of threads.
public struct MatrixCompletion: Sendable {
    public var specification: MatrixCompletionSpecification
    public var seed: UInt64
    public var threads: Int

    public init(
        _ specification: MatrixCompletionSpecification = .init(), seed: UInt64 = 1, threads: Int = Threads.all.count
    ) {
        self.specification = specification
        self.seed = seed
        self.threads = threads
    }

    /// - Parameters:
    ///   - until: showings at or after this moment (milliseconds since 1970) do not count.
    ///   - progress: called after each iteration with the share done, 0...1.
    public func build(
        _ dataset: Dataset, until: Int64? = nil, progress: ((Double) -> Void)? = nil
    ) -> CompletedMatrix {
        let interests = InterestMatrix(
            dataset, until: until, historyMax: specification.historyMax,
            observed: specification.loss == .implicit ? .liked : .shown)
        let fit = fit(byUser: interests.byUser, byItem: interests.byItem, progress: progress)
        return CompletedMatrix(
            specification: specification, items: dataset.items.keys, itemFactors: fit.items, loss: fit.loss(),
            figures: interests.figures.merging([
                "factors": Double(specification.factors), "iterations": Double(specification.iterations),
                "regularization": Double(specification.regularization), "alpha": Double(specification.alpha),
            ]) { $1 })
    }

    /// The factors of a sparse matrix, given by user and by item.
    package func fit(
        byUser: SparseRows, byItem: SparseRows, progress: ((Double) -> Void)? = nil
    ) -> MatrixFit {
        var fit = MatrixFit(self, byUser, byItem)
        for iteration in 0..<specification.iterations {
            fit.iterate()
            progress?(Double(iteration + 1) / Double(specification.iterations))
        }
        return fit
    }
}
