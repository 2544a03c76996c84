import Kernels
import Synchronization

extension VectorIndex {
    /// Queries scored against a block of vectors while it is in the cache.
    private static let batch = 32

    /// The true best rows of every query, best first, by a scan of all vectors.
    ///
    /// - Complexity: O(q n d).
    func trueBest(_ queries: [SharedBuffer<Float>], depth: Int, threads: Threads) -> [[Scored]] {
        let results = Mutex([[Scored]](repeating: [], count: queries.count))
        threads.forEach(0..<(queries.count + Self.batch - 1) / Self.batch) { batch in
            let range = batch * Self.batch..<min((batch + 1) * Self.batch, queries.count)
            let found = trueBest(queries[range], depth: depth)
            results.withLock { results in
                for (query, best) in zip(range, found) { results[query] = best }
            }
        }
        return results.withLock { $0 }
    }

    private func trueBest(_ queries: ArraySlice<SharedBuffer<Float>>, depth: Int) -> [[Scored]] {
        let joined = report.metric.prepared(SharedBuffer(Array(queries.joined())), dimension: dimension)
        var best = queries.map { _ in TopK(depth) }
        let block = SearchScratch.block
        let scores = Memory<Float>(queries.count * block, filledWith: 0)
        for start in stride(from: 0, to: count, by: block) {
            let size = min(block, count - start)
            kernels.scan(
                queries: joined.address, queryCount: queries.count, rows: vectors.address + start * dimension,
                count: size, width: dimension, scores: scores.base)
            for query in best.indices {
                best[query].offer(
                    scores: UnsafeBufferPointer(start: scores.base + query * size, count: size),
                    firstID: UInt64(start))
            }
        }
        return best.indices.map { best[$0].take() }
    }

    /// What searches find, and what they cost.
    ///
    /// - Returns: the share of the true best found, mean over queries (what scores as much as the last of the true best is as good
    ///   as one of them); and the mean cost of a search, in codes scanned.
    func measure(
        _ queries: [SharedBuffer<Float>], truth: [[Scored]], threads: Threads
    ) -> (recall: Double, cost: Double) {
        let depth = report.depth
        let shares = Mutex([Double](repeating: 0, count: queries.count))
        let scanned = Atomic(0)
        threads.forEach(0..<queries.count, state: SearchScratch.init) { scratch, query in
            scratch.scanned = 0
            // Held-out queries were checked: the search finds no fault with them.
            let found = (try? search(queries[query], limit: depth, excluding: KeySet(), scratch: scratch)) ?? []
            let last = truth[query].prefix(depth).last?.score ?? .infinity
            let share = Double(found.count { $0.score >= last }) / Double(min(depth, truth[query].count))
            shares.withLock { $0[query] = share }
            scanned.add(scratch.scanned, ordering: .relaxed)
        }
        let rows = Double(scanned.load(ordering: .relaxed)) / Double(queries.count)
        return (
            shares.withLock { $0 }.reduce(0, +) / Double(queries.count),
            report.kind.rowCost * rows + Self.rerankCost * Double(report.reranked(for: depth))
        )
    }

    /// A vector scored again costs as much as so many codes scanned.
    private static let rerankCost = 30.0
}

extension IndexKind {
    /// What the scan of a vector costs, in codes scanned.
    fileprivate var rowCost: Double { self == .bytes ? 3 : 1 }
}
