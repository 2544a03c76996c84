public import Kernels

extension VectorIndex {
    /// Builds an index and measures its recall.
    ///
    /// - Parameters:
    ///   - keys: `[n]`, in any order, each once.
    ///   - vectors: `[n, d]`, row-major, parallel to `keys`; unit length where cosine is meant.
    ///   - queries: `[q, d]`, drawn as the real ones will be and not from `vectors`: half of them choose the number of
    ///     lists searched, the other half measure the recall. With fewer than 64 of them a recall could
    ///     not be stated, and the index is exact whatever its size.
    /// - Throws: `recallBelowTarget` when the measured recall stays under the target.
    /// - Complexity: with lists, O(sample lists d) an iteration of k-means and O((n + q) lists d + q n d) after it.
    public static func build(
        keys: SharedBuffer<UInt64>, vectors: SharedBuffer<Float>, dimension: Int, queries: SharedBuffer<Float>,
        options: VectorIndexOptions = VectorIndexOptions()
    ) throws(VectorIndexError) -> VectorIndex {
        try options.check()
        let order = try checkedOrder(keys: keys, vectors: vectors, dimension: dimension)
        let sorted = SharedBuffer(order.map { keys[$0] })
        let matrix = vectors.gather(order, width: dimension)
        let held = try HeldOutQueries(queries, dimension: dimension)
        guard keys.count > options.exactMax, let held else {
            let report = IndexReport(
                kind: .exact, vectors: keys.count, probes: 0, lists: 0, probeGrowth: 0, recall: 1,
                depth: options.recallDepth,
                queries: 0, targetRecall: options.targetRecall)
            return VectorIndex(dimension: dimension, keys: sorted, vectors: matrix, lists: nil, report: report)
        }
        let means = SphericalKMeans(matrix, dimension: dimension, options: options)
        let centroids = means.centroids()
        let (offsets, rows) = members(of: means.assign(matrix, to: centroids), lists: centroids.count / dimension)
        let report = IndexReport(
            kind: .inverted, vectors: keys.count, probes: 1, lists: offsets.count - 1, probeGrowth: 0, recall: 0,
            depth: min(options.recallDepth, keys.count), queries: held.measuring.count,
            targetRecall: options.targetRecall)
        var index = VectorIndex(
            dimension: dimension, keys: SharedBuffer(rows.map { sorted[$0] }),
            vectors: matrix.gather(rows, width: dimension),
            lists: InvertedLists(centroids: centroids, offsets: SharedBuffer(offsets)), report: report)
        try index.tune(held, options: options)
        return index
    }

    /// The order of ascending keys, when the input can be used at all.
    private static func checkedOrder(
        keys: SharedBuffer<UInt64>, vectors: SharedBuffer<Float>, dimension: Int
    ) throws(VectorIndexError) -> [Int] {
        guard dimension > 0, vectors.count == keys.count * dimension, keys.count < UInt32.max else {
            throw VectorIndexError(
                .invalidInput, "\(keys.count) keys of dimension \(dimension) do not fit \(vectors.count) values")
        }
        let order = Array(keys.indices).sorted { keys[$0] < keys[$1] }
        for place in order.indices.dropFirst() where keys[order[place]] == keys[order[place - 1]] {
            throw VectorIndexError(.invalidInput, "key \(keys[order[place]]) is given twice")
        }
        if let fault = vectors.firstIndex(where: { !$0.isFinite }) {
            throw VectorIndexError(
                .invalidInput, "the vector of key \(keys[fault / dimension]) holds \(vectors[fault])")
        }
        return order
    }

    /// Each list's vectors, ascending, list after list.
    private static func members(of assignment: [UInt32], lists: Int) -> (offsets: [UInt64], rows: [Int]) {
        var offsets = [UInt64](repeating: 0, count: lists + 1)
        for list in assignment { offsets[Int(list) + 1] += 1 }
        for list in 0..<lists { offsets[list + 1] += offsets[list] }
        var next = offsets
        var rows = [Int](repeating: 0, count: assignment.count)
        for (row, list) in assignment.enumerated() {
            rows[Int(next[Int(list)])] = row
            next[Int(list)] += 1
        }
        return (offsets, rows)
    }
}

extension SharedBuffer<Float> {
    /// Rows of `width` in the order given.
    func gather(_ rows: [Int], width: Int) -> SharedBuffer<Float> {
        let gathered = [Float](unsafeUninitializedCapacity: rows.count * width) { target, count in
            withUnsafeBufferPointer { source in
                for (place, row) in rows.enumerated() {
                    let from = UnsafeBufferPointer(rebasing: source[row * width..<(row + 1) * width])
                    _ = UnsafeMutableBufferPointer(rebasing: target[place * width..<(place + 1) * width])
                        .initialize(from: from)
                }
            }
            count = rows.count * width
        }
        return SharedBuffer(gathered)
    }
}
