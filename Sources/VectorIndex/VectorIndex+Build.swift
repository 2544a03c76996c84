public import Kernels

extension VectorIndex {
    /// Builds an index and measures its recall.
    ///
    /// - Parameters:
    ///   - keys: `[n]`, in any order, each once.
    ///   - vectors: `[n, d]`, row-major, parallel to `keys`.
    ///   - queries: `[q, d]`, drawn as the real ones will be and not from `vectors`: half of them choose how far a
    ///     search looks, the other half measure the recall. With fewer than 64 of them a recall could
    ///     not be stated, and the index is exact whatever its size and the kind asked for.
    /// - Throws: `recallBelowTarget` when the measured recall stays under the target.
    /// - Complexity: with lists, O(sample lists d) an iteration of k-means and O((n + q) lists d + q n d) after it.
    public static func build(
        keys: SharedBuffer<UInt64>, vectors: SharedBuffer<Float>, dimension: Int, queries: SharedBuffer<Float>,
        options: VectorIndexOptions = VectorIndexOptions()
    ) throws(VectorIndexError) -> VectorIndex {
        try options.check()
        let order = try checkedOrder(keys: keys, vectors: vectors, dimension: dimension)
        let sorted = SharedBuffer(order.map { keys[$0] })
        let matrix = options.metric.prepared(vectors.gather(order, width: dimension), dimension: dimension)
        let held = try HeldOutQueries(queries, dimension: dimension)
        let kind = options.kind(for: matrix, dimension: dimension)
        guard kind != .exact, keys.count > 0, let held else {
            return VectorIndex(
                dimension: dimension, keys: sorted, vectors: matrix, lists: nil,
                report: IndexReport(exact: keys.count, options))
        }
        var index = inverted(kind, keys: sorted, vectors: matrix, dimension: dimension, options: options)
        try index.tune(held, options: options)
        return index
    }

    /// Divides vectors into lists and compresses them.
    private static func inverted(
        _ kind: IndexKind, keys: SharedBuffer<UInt64>, vectors: SharedBuffer<Float>, dimension: Int,
        options: VectorIndexOptions
    ) -> VectorIndex {
        let threads = Threads(max(1, options.threads))
        let directions = SphericalKMeans(vectors, dimension: dimension, options: options).centroids()
        let assignment = ListAssignment(directions, dimension: dimension, threads: threads).lists(of: vectors)
        let (offsets, rows) = members(of: assignment, lists: directions.count / dimension)
        let matrix = vectors.gather(rows, width: dimension)
        let shared = SharedBuffer(offsets)
        let centroids = Self.centroids(along: directions, of: matrix, shared, dimension: dimension)
        let report = IndexReport(
            kind: kind, metric: options.metric, vectors: keys.count, probes: 1, lists: offsets.count - 1, rerank: 1,
            patience: 0, probeGrowth: 0, recall: 0, depth: min(options.recallDepth, keys.count), queries: 0,
            targetRecall: options.targetRecall)
        return VectorIndex(
            dimension: dimension, keys: SharedBuffer(rows.map { keys[$0] }), vectors: matrix,
            lists: InvertedLists(
                centroids: centroids, dimension: dimension, offsets: shared,
                compressed: compressed(
                    matrix, centroids, shared, kind: kind, dimension: dimension, options: options, threads)),
            report: report)
    }

    private static func compressed(
        _ vectors: SharedBuffer<Float>, _ centroids: SharedBuffer<Float>, _ offsets: SharedBuffer<UInt64>,
        kind: IndexKind, dimension: Int, options: VectorIndexOptions, _ threads: Threads
    ) -> InvertedLists.Compressed {
        if kind == .bytes {
            return .bytes(ByteBlocks(encoding: vectors, width: dimension, offsets: offsets, threads: threads))
        }
        let quantizer = ProductQuantizer.train(
            on: vectors, dimension: dimension, centroids: centroids, offsets: offsets, eta: options.eta,
            seed: options.seed, threads: threads)
        return .codes(
            CodeBlocks(
                encoding: vectors, centroids: centroids, offsets: offsets, quantizer: quantizer, threads: threads),
            ByteRows(encoding: vectors, width: dimension, threads: threads))
    }

    /// The centroids as long as their vectors reach along them on average: of vectors of very different lengths, the lists
    /// of long ones come first, and residuals are no longer than they must be.
    private static func centroids(
        along directions: SharedBuffer<Float>, of vectors: SharedBuffer<Float>, _ offsets: SharedBuffer<UInt64>,
        dimension: Int
    ) -> SharedBuffer<Float> {
        var centroids = Array(directions)
        for list in 0..<offsets.count - 1 where offsets[list + 1] > offsets[list] {
            let direction = directions.address + list * dimension
            var sum: Float = 0
            for row in Int(offsets[list])..<Int(offsets[list + 1]) {
                sum += kernels.dot(direction, vectors.address + row * dimension, count: dimension)
            }
            let length = sum / Float(offsets[list + 1] - offsets[list])
            for k in list * dimension..<(list + 1) * dimension { centroids[k] *= length }
        }
        return SharedBuffer(centroids)
    }

    /// The order of ascending keys, when the input can be used at all.
    static func checkedOrder(
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
    static func members(of assignment: [UInt32], lists: Int) -> (offsets: [UInt64], rows: [Int]) {
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

extension IndexMetric {
    /// Vectors `[n, d]` as the index keeps them.
    func prepared(_ vectors: SharedBuffer<Float>, dimension: Int) -> SharedBuffer<Float> {
        guard self == .cosine, vectors.count > 0 else { return vectors }
        let unit = Memory<Float>(vectors.count, filledWith: 0)
        for start in stride(from: 0, to: vectors.count, by: dimension) {
            kernels.normalize(vectors.address + start, unit.base + start, count: dimension)
        }
        return unit.shared
    }
}

extension IndexReport {
    init(exact count: Int, _ options: VectorIndexOptions) {
        self.init(
            kind: .exact, metric: options.metric, vectors: count, probes: 0, lists: 0, rerank: 0, patience: 0,
            probeGrowth: 0,
            recall: 1, depth: options.recallDepth, queries: 0, targetRecall: options.targetRecall)
    }
}

extension SharedBuffer<Float> {
    /// Rows of `width` in the order given.
    func gather(_ rows: [Int], width: Int) -> SharedBuffer<Float> {
        let gathered = Memory<Float>(rows.count * width, filledWith: 0)
        withUnsafeBufferPointer { source in
            guard let source = source.baseAddress else { return }
            for (place, row) in rows.enumerated() {
                (gathered.base + place * width).update(from: source + row * width, count: width)
            }
        }
        return gathered.shared
    }
}
