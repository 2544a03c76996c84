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
    init(_ queries: SharedBuffer<Float>, dimension: Int) throws(VectorIndexError) {
        let count = queries.count / dimension
        guard count * dimension == queries.count, count >= Self.countMin else {
            throw VectorIndexError(
                .invalidInput,
                "an index with lists needs at least \(Self.countMin) queries of dimension \(dimension) to measure its "
                    + "recall with, found \(queries.count) values")
        }
        if let fault = queries.firstIndex(where: { !$0.isFinite }) {
            throw VectorIndexError(.invalidInput, "query \(fault / dimension) holds \(queries[fault])")
        }
        let rows = (0..<min(count, Self.countMax)).map { queries[shared: $0 * dimension..<($0 + 1) * dimension] }
        choosing = rows.indices.filter { !$0.isMultiple(of: 2) }.map { rows[$0] }
        measuring = rows.indices.filter { $0.isMultiple(of: 2) }.map { rows[$0] }
    }
}
