public import Catalog
import Kernels

import func Glibc.pow

/// Builds item-to-item lists from the order in which users like items: what comes next.
///
/// A step from i to j that are k places apart, k at most `window`, counts 1/k (sequential rules: Ludewig and Jannach,
/// "Evaluation of Session-based Recommendation Algorithms", 2018). With c(i) all that is counted for i, sim(i, j) =
/// c(i, j) / c(i)^normalization. A window of 1 and a normalization of 1 give the first-order Markov chain: the share of users
/// who went from i to j.
///
/// Work: steps. Memory: the interest matrix, 8 bytes a like, and for each thread 8 bytes an item.
public struct SequenceRulesBuilder: Sendable {
    /// Places that two items may be apart.
    public var window = 1
    /// 0: often followed items weigh more; 1: all items weigh the same.
    public var normalization = 1.0
    /// Most recently liked items of a user that count.
    public var historyMax = 500
    /// Length of an item's list.
    public var neighbours = 100
    public var threads = Threads.all.count

    public init() {}

    /// - Parameters:
    ///   - until: showings at or after this moment (milliseconds since 1970) do not count.
    ///   - progress: called now and then, from any thread, with the share of items done, 0...1.
    public func build(
        _ dataset: Dataset, until: Int64? = nil, progress: (@Sendable (Double) -> Void)? = nil
    ) -> SimilarityLists {
        let interests = InterestMatrix(dataset, until: until, historyMax: historyMax)
        let places = Places(interests)
        let lists = NeighbourLists(
            rows: interests.byItem.rows, length: neighbours, threads: Threads(max(1, threads)), progress: progress
        ) {
            Lane(rules: self, interests: interests, places: places)
        } neighbours: { lane, item in
            lane.neighbours(of: item)
        }
        return SimilarityLists(
            keys: dataset.items.keys, lists: lists,
            figures: interests.figures.merging(["neighbours": Double(neighbours), "window": Double(window)]) { $1 })
    }

    /// Where in its user's history each like lies.
    private struct Places {
        /// By entry of the matrix by item: its entry in the matrix by user.
        var entries: [Int]

        init(_ interests: InterestMatrix) {
            entries = [Int](repeating: 0, count: interests.byItem.columns.count)
            var next = interests.byItem.offsets
            for user in 0..<interests.byUser.rows {
                for entry in interests.byUser.range(user) {
                    let item = Int(interests.byUser.columns[entry])
                    entries[next[item]] = entry
                    next[item] += 1
                }
            }
        }
    }

    private struct Lane {
        let rules: SequenceRulesBuilder
        let interests: InterestMatrix
        let places: Places
        /// c(i, j) by j; 0 between calls.
        private var sums: [Double]
        private var touched: [UInt32] = []
        private var top: TopK

        init(rules: SequenceRulesBuilder, interests: InterestMatrix, places: Places) {
            self.rules = rules
            self.interests = interests
            self.places = places
            sums = [Double](repeating: 0, count: interests.byItem.rows)
            top = TopK(rules.neighbours)
        }

        mutating func neighbours(of item: Int) -> [NeighbourLists.Neighbour] {
            var total = 0.0
            for place in interests.byItem.range(item) {
                // Histories are newest first: what came after lies before.
                let history = interests.byUser.range(Int(interests.byItem.columns[place]))
                let entry = places.entries[place]
                for distance in 1...rules.window where entry - distance >= history.lowerBound {
                    let item = interests.byUser.columns[entry - distance]
                    if sums[Int(item)] == 0 { touched.append(item) }
                    sums[Int(item)] += 1 / Double(distance)
                    total += 1 / Double(distance)
                }
            }
            let scale = 1 / pow(total, rules.normalization)
            for row in touched {
                top.offer(score: Float(sums[Int(row)] * scale), id: UInt64(row))
                sums[Int(row)] = 0
            }
            touched.removeAll(keepingCapacity: true)
            return top.take().map { .init(row: Int($0.id), similarity: $0.score) }
        }
    }
}
