import Kernels

extension VectorIndex {
    /// The `limit` lists of the best centroids, best first, into `scratch.near`; how many.
    ///
    /// A scan of the centroids' bytes finds them; the centroids themselves put them in order. `scratch.bytes` holds the query.
    func nearestLists(
        _ lists: InvertedLists, _ query: UnsafePointer<Float>, limit: Int, _ scratch: SearchScratch
    ) -> Int {
        let count = lists.count
        let scores = scratch.nearScores.room(count + SearchLayout.byteRows)
        lists.centroidBytes.score(scratch.bytes, scores: scores)
        let bar = barReached(by: min(limit, count), scores, count, scratch)
        // The kernel that fills it may write 8 entries too many.
        let positions = scratch.nearPositions.room(count + 8)
        let found = kernels.collect(scores, count: count, threshold: bar, positions: positions)
        let near = scratch.near.room(count)
        for place in 0..<found {
            near[place] = Ranked(score: scores[Int(positions[place])], position: positions[place])
        }
        let chosen = min(limit, found)
        if chosen < found, chosen > 0 { Ranked.selectBest(near, count: found, chosen) }
        order(lists, query, chosen, scratch)
        return chosen
    }

    /// A score that at least `wanted` reach, and not many more.
    ///
    /// The wanted-th best of the columns' greatest: each of those columns has one.
    private func barReached(
        by wanted: Int, _ scores: UnsafePointer<Float>, _ count: Int, _ scratch: SearchScratch
    ) -> Float {
        let width = max(256, 4 * wanted)
        if wanted == 0 || 2 * width > count { return -.greatestFiniteMagnitude }
        let columns = scratch.columns.room(width)
        kernels.foldMaximum(scores, count: count, width: width, columns: columns)
        let ranked = scratch.ranked.room(width)
        for column in 0..<width { ranked[column] = Ranked(score: columns[column], position: 0) }
        Ranked.selectBest(ranked, count: width, wanted)
        return ranked[wanted - 1].score
    }

    /// Sorts `scratch.near` by the exact scores of the centroids.
    private func order(
        _ lists: InvertedLists, _ query: UnsafePointer<Float>, _ chosen: Int, _ scratch: SearchScratch
    ) {
        let near = scratch.near.room(lists.count)
        let positions = scratch.nearPositions.room(chosen)
        let scores = scratch.nearScores.room(chosen)
        for place in 0..<chosen { positions[place] = near[place].position }
        lists.centroids.withUnsafeBufferPointer { centroids in
            guard let centroids = centroids.baseAddress else { return }
            kernels.scoreRows(
                query: query, matrix: centroids, width: dimension, positions: positions, count: chosen,
                scores: scores)
        }
        for place in 0..<chosen { near[place] = Ranked(score: scores[place], position: positions[place]) }
        Ranked.sort(near, count: chosen)
    }

    /// All lists but the first `scanned` of `scratch.near`, best first, into `scratch.near`; how many.
    ///
    /// - Complexity: O(lists (d + log lists)): for the rare search that goes on far beyond what it was tuned to.
    func remainingLists(
        _ lists: InvertedLists, _ query: UnsafePointer<Float>, but scanned: Int, _ scratch: SearchScratch
    ) -> Int {
        let near = scratch.near.room(lists.count)
        let visited = scratch.visited.room(lists.count)
        visited.update(repeating: false, count: lists.count)
        for place in 0..<scanned { visited[Int(near[place].position)] = true }
        var count = 0
        for list in 0..<lists.count where !visited[list] {
            near[count] = Ranked(score: 0, position: UInt32(list))
            count += 1
        }
        order(lists, query, count, scratch)
        return count
    }
}

extension ByteBlocks {
    /// Scores all rows of a single list.
    func score(_ query: ByteQuery, scores: UnsafeMutablePointer<Float>) {
        bytes.withUnsafeBufferPointer { bytes in
            scales.withUnsafeBufferPointer { scales in
                guard let bytes = bytes.baseAddress, let scales = scales.baseAddress else { return }
                kernels.scoreBlocks(query, blocks: bytes, scales: scales, count: self.scales.count, scores: scores)
            }
        }
    }
}
