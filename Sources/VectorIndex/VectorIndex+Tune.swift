import Kernels
import Synchronization

import func Glibc.log

extension VectorIndex {
    /// Chooses how many lists a search looks at, and measures what it then finds.
    ///
    /// The choice comes from one half of the queries; where the other half finds less than the target, the number grows
    /// by a tenth until it does not, so that what is stated was reached on queries that did not choose.
    mutating func tune(_ queries: HeldOutQueries, options: VectorIndexOptions) throws(VectorIndexError) {
        guard let lists else { return }
        let wanted = options.targetRecall
        let threads = Threads(max(1, options.threads))
        let needed = probesReaching(wanted, lists, queries.choosing, depth: report.depth, threads: threads)
        let deeper = min(report.depth * 4, count)
        let neededDeeper = probesReaching(wanted, lists, queries.choosing, depth: deeper, threads: threads)
        report.probeGrowth = Self.exponent(from: (report.depth, needed), to: (deeper, neededDeeper))
        report.probes = min(options.probes ?? needed, lists.count)
        let truth = trueBest(queries.measuring, depth: report.depth, threads: threads)
        report.recall = recall(of: queries.measuring, truth: truth, threads: threads)
        while report.recall < wanted, options.probes == nil, report.probes < lists.count {
            report.probes = min(lists.count, report.probes + max(1, report.probes / 10))
            report.recall = recall(of: queries.measuring, truth: truth, threads: threads)
        }
        guard report.recall >= wanted else {
            throw VectorIndexError(
                .recallBelowTarget,
                "recall@\(report.depth) is \(report.recall), below the target \(wanted): \(report.probes) of "
                    + "\(lists.count) lists searched, \(count) vectors, \(queries.measuring.count) queries")
        }
    }

    /// a of probes = c depth^a through two measured points, 0...1.
    private static func exponent(from low: (depth: Int, probes: Int), to high: (depth: Int, probes: Int)) -> Double {
        guard high.depth > low.depth, high.probes > low.probes else { return 0 }
        return min(1, log(Double(high.probes) / Double(low.probes)) / log(Double(high.depth) / Double(low.depth)))
    }

    /// The fewest lists that hold the wanted share of the true best, over all queries together.
    private func probesReaching(
        _ wanted: Double, _ lists: InvertedLists, _ queries: [SharedBuffer<Float>], depth: Int,
        threads: Threads
    ) -> Int {
        var listOfKey: [UInt64: Int] = [:]
        for list in 0..<lists.count {
            for position in lists.range(list) { listOfKey[keys[position]] = list }
        }
        let truth = trueBest(queries, depth: depth, threads: threads)
        let found = Mutex([Int](repeating: 0, count: lists.count))
        threads.forEach(0..<queries.count, state: SearchScratch.init) { scratch, query in
            let order = queries[query].withUnsafeBufferPointer {
                nearestLists(lists, $0, limit: lists.count, scratch)
            }
            var placeOfList = [Int](repeating: 0, count: lists.count)
            for (place, list) in order.enumerated() { placeOfList[list] = place }
            found.withLock { found in
                for key in truth[query] { found[placeOfList[listOfKey[key, default: 0]]] += 1 }
            }
        }
        let total = truth.reduce(0) { $0 + $1.count }
        var sum = 0
        for (place, hits) in found.withLock({ $0 }).enumerated() {
            sum += hits
            if Double(sum) >= wanted * Double(total) { return place + 1 }
        }
        return lists.count
    }

    /// The true best of every query, by a scan of all vectors.
    private func trueBest(_ queries: [SharedBuffer<Float>], depth: Int, threads: Threads) -> [[UInt64]] {
        let exact = VectorIndex(dimension: dimension, keys: keys, vectors: vectors, lists: nil, report: report)
        return exact.keysFound(queries, limit: depth, threads: threads)
    }

    private func recall(of queries: [SharedBuffer<Float>], truth: [[UInt64]], threads: Threads) -> Double {
        let shares = zip(keysFound(queries, limit: report.depth, threads: threads), truth).map { found, truth in
            Double(Set(found).intersection(truth).count) / Double(max(truth.count, 1))
        }
        return shares.reduce(0, +) / Double(shares.count)
    }

    private func keysFound(_ queries: [SharedBuffer<Float>], limit: Int, threads: Threads) -> [[UInt64]] {
        let results = Mutex([[UInt64]](repeating: [], count: queries.count))
        threads.forEach(0..<queries.count, state: SearchScratch.init) { scratch, query in
            // Held-out queries were checked: the search finds no fault with them.
            let found = try? search(queries[query], limit: limit, excluding: KeySet(), scratch: scratch)
            results.withLock { $0[query] = (found ?? []).map(\.id) }
        }
        return results.withLock { $0 }
    }
}
