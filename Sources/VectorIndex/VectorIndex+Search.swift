public import Kernels

extension VectorIndex {
    /// The best `limit` vectors that are allowed and not excluded: score descending, ties by ascending key.
    ///
    /// - Parameters:
    ///   - query: `[d]`.
    ///   - filter: of this index; nil allows all.
    ///   - excluded: keys left out; the search goes on into further lists until it has `limit` others or has seen all.
    /// - Complexity: O(n d) exact; with lists, O(lists d) and the vectors of the lists searched.
    public func search(
        _ query: SharedBuffer<Float>, limit: Int, filter: RowFilter? = nil, excluding excluded: [UInt64] = []
    ) throws(VectorIndexError) -> [Scored] {
        var set = KeySet()
        for key in excluded { set.insert(key) }
        return try search(query, limit: limit, filter: filter, excluding: set, scratch: SearchScratch())
    }

    /// The same with memory that is reused.
    package func search(
        _ query: SharedBuffer<Float>, limit: Int, filter: RowFilter? = nil, excluding excluded: borrowing KeySet,
        scratch: SearchScratch
    ) throws(VectorIndexError) -> [Scored] {
        try check(query, filter)
        let wanted = min(max(limit, 0), filter?.count ?? count)
        guard wanted > 0 else { return [] }
        let own = scratch.query.room(paddedDimension)
        query.withUnsafeBufferPointer { query in
            guard let query = query.baseAddress else { return }
            if report.metric == .cosine {
                kernels.normalize(query, own, count: dimension)
            } else {
                own.update(from: query, count: dimension)
            }
        }
        if let lists, wanted * Self.depthShare < count {
            (own + dimension).update(repeating: 0, count: paddedDimension - dimension)
            scratch.bytes.fill(own, width: dimension)
            let goal = SearchGoal(query: own, wanted: wanted, filter: filter)
            if let filter, scansAllowed(filter, wanted: wanted) {
                return searchAllowed(filter, goal, excluded, scratch)
            }
            return search(lists, goal, excluded, scratch)
        }
        return searchAll(own, wanted: wanted, filter: filter, excluded, scratch)
    }

    /// When more than one in so many is wanted, a scan of all is quicker than one of lists.
    private static let depthShare = 8

    /// Elements of a query that the codes read; those beyond the dimension are zero.
    private var paddedDimension: Int {
        guard case .codes(let codes, _)? = lists?.compressed else { return dimension }
        return max(dimension, codes.quantizer.padded)
    }

    private func check(_ query: SharedBuffer<Float>, _ filter: RowFilter?) throws(VectorIndexError) {
        guard query.count == dimension else {
            throw VectorIndexError(
                .invalidInput, "the query vector has \(query.count) elements, the index has \(dimension)")
        }
        guard query.allSatisfy(\.isFinite) else {
            throw VectorIndexError(.invalidInput, "the query vector holds a value that is not finite")
        }
        if let filter, filter.rows != count {
            throw VectorIndexError(
                .invalidInput, "the filter is of an index of \(filter.rows) vectors, this one has \(count)")
        }
    }

    /// Scores every vector.
    private func searchAll(
        _ query: UnsafePointer<Float>, wanted: Int, filter: RowFilter?, _ excluded: borrowing KeySet,
        _ scratch: SearchScratch
    ) -> [Scored] {
        var best = TopK(wanted)
        let scores = scratch.scores.room(SearchScratch.block)
        // The kernel that fills it may write 8 entries too many.
        let positions = scratch.positions.room(SearchScratch.block + 8)
        vectors.withUnsafeBufferPointer { vectors in
            guard let vectors = vectors.baseAddress else { return }
            for start in stride(from: 0, to: count, by: SearchScratch.block) {
                let size = min(SearchScratch.block, count - start)
                kernels.scan(
                    query: query, rows: vectors + start * dimension, count: size, width: dimension, scores: scores)
                let found = kernels.collect(
                    scores, count: size, threshold: best.threshold, positions: positions)
                for place in 0..<found {
                    let row = start + Int(positions[place])
                    if let filter, !filter.contains(row) { continue }
                    if !excluded.contains(keys[row]) {
                        best.offer(score: scores[row - start], id: keys[row])
                    }
                }
            }
        }
        return best.take()
    }
}
