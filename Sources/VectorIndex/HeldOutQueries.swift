import Kernels

/// Queries that an index is tuned on, and others that its recall is measured on.
struct HeldOutQueries: Sendable {
    let choosing: [SharedBuffer<Float>]
    let measuring: [SharedBuffer<Float>]

    /// Fewer say too little of the mean recall: at 32, a spread of 0.1 between queries leaves +-0.018.
    static let countMin = 64
    /// More cost a full scan each and say little more.
    static let countMax = 1_000

    /// - Parameter queries: `[q, d]`: odd rows choose, even rows measure.
    /// - Returns: nil when there are too few to measure with.
    init?(_ queries: SharedBuffer<Float>, dimension: Int) throws(VectorIndexError) {
        let count = queries.count / dimension
        guard count * dimension == queries.count else {
            throw VectorIndexError(
                .invalidInput, "\(queries.count) values are no whole number of queries of dimension \(dimension)")
        }
        if let fault = queries.firstIndex(where: { !$0.isFinite }) {
            throw VectorIndexError(.invalidInput, "query \(fault / dimension) holds \(queries[fault])")
        }
        guard count >= Self.countMin else { return nil }
        let rows = (0..<min(count, Self.countMax)).map { queries[shared: $0 * dimension..<($0 + 1) * dimension] }
        choosing = rows.indices.filter { !$0.isMultiple(of: 2) }.map { rows[$0] }
        measuring = rows.indices.filter { $0.isMultiple(of: 2) }.map { rows[$0] }
    }
}
