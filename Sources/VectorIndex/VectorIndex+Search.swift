public import Kernels

extension VectorIndex {
    /// The best `limit` vectors that are not excluded: score descending, ties by ascending key.
    ///
    /// - Parameters:
    ///   - query: `[d]`.
    ///   - excluded: keys left out; the search goes on into further lists until it has `limit` others or has seen all.
    /// - Complexity: O(n d) exact; O((lists + n probes / lists) d) with lists.
    public func search(
        _ query: SharedBuffer<Float>, limit: Int, excluding excluded: [UInt64] = []
    ) throws(VectorIndexError) -> [Scored] {
        var set = KeySet()
        for key in excluded { set.insert(key) }
        return try search(query, limit: limit, excluding: set, scratch: SearchScratch())
    }

    /// The same with memory that is reused.
    package func search(
        _ query: SharedBuffer<Float>, limit: Int, excluding excluded: borrowing KeySet, scratch: SearchScratch
    ) throws(VectorIndexError) -> [Scored] {
        guard query.count == dimension else {
            throw VectorIndexError(
                .invalidInput, "the query vector has \(query.count) elements, the index has \(dimension)")
        }
        guard query.allSatisfy(\.isFinite) else {
            throw VectorIndexError(.invalidInput, "the query vector holds a value that is not finite")
        }
        let wanted = min(max(limit, 0), count)
        guard wanted > 0 else { return [] }
        var best = TopK(wanted)
        query.withUnsafeBufferPointer { query in
            if let lists {
                scan(lists, query, wanted, excluded, scratch, &best)
            } else {
                _ = scan(0..<count, query, excluded, scratch, &best)
            }
        }
        return best.take()
    }

    /// Scans lists, nearest first, until as many are through as the depth needs and the best are all there.
    ///
    /// What is excluded near the query pushes the answer further out: leaving out e is searching e deeper, and e once more
    /// because what a search misses of its depth lies at the far end, which is all that is wanted here.
    private func scan(
        _ lists: InvertedLists, _ query: UnsafeBufferPointer<Float>, _ wanted: Int, _ excluded: borrowing KeySet,
        _ scratch: SearchScratch, _ best: inout TopK
    ) {
        var passed = Passed()
        var near = nearestLists(lists, query, limit: report.probes(forDepth: wanted), scratch)
        var scanned = 0
        while true {
            let needed = report.probes(forDepth: wanted + 2 * passed.excluded)
            if scanned == lists.count || (scanned >= needed && passed.offered >= wanted) { return }
            if scanned == near.count { near = nearestLists(lists, query, limit: lists.count, scratch) }
            passed += scan(lists.range(near[scanned]), query, excluded, scratch, &best)
            scanned += 1
        }
    }

    /// How many vectors scored high enough to be among the best of their time.
    private struct Passed {
        /// At least as many as the best now hold.
        var offered = 0
        var excluded = 0

        static func += (left: inout Passed, right: Passed) {
            left.offered += right.offered
            left.excluded += right.excluded
        }
    }

    /// The lists of the best centroids, best first.
    func nearestLists(
        _ lists: InvertedLists, _ query: UnsafeBufferPointer<Float>, limit: Int, _ scratch: SearchScratch
    ) -> [Int] {
        var best = TopK(min(limit, lists.count))
        lists.centroids.withUnsafeBufferPointer { centroids in
            guard let query = query.baseAddress, let centroids = centroids.baseAddress else { return }
            for start in stride(from: 0, to: lists.count, by: SearchScratch.block) {
                let size = min(SearchScratch.block, lists.count - start)
                kernels.scan(
                    query: query, rows: centroids + start * dimension, count: size, width: dimension,
                    scores: scratch.scores)
                best.offer(
                    scores: UnsafeBufferPointer(start: scratch.scores, count: size), firstID: UInt64(start))
            }
        }
        return best.take().map { Int($0.id) }
    }

    /// Offers the vectors at `range` that are not excluded.
    private func scan(
        _ range: Range<Int>, _ query: UnsafeBufferPointer<Float>, _ excluded: borrowing KeySet,
        _ scratch: SearchScratch, _ best: inout TopK
    ) -> Passed {
        var passed = Passed()
        vectors.withUnsafeBufferPointer { vectors in
            guard let query = query.baseAddress, let vectors = vectors.baseAddress else { return }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: SearchScratch.block) {
                let size = min(SearchScratch.block, range.upperBound - start)
                kernels.scan(
                    query: query, rows: vectors + start * dimension, count: size, width: dimension,
                    scores: scratch.scores)
                let found = kernels.collect(
                    scratch.scores, count: size, threshold: best.threshold, positions: scratch.positions)
                for place in 0..<found {
                    let position = Int(scratch.positions[place])
                    let key = keys[start + position]
                    if excluded.contains(key) {
                        passed.excluded += 1
                    } else {
                        best.offer(score: scratch.scores[position], id: key)
                        passed.offered += 1
                    }
                }
            }
        }
        return passed
    }
}
