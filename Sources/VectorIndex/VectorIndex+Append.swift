public import Kernels

extension VectorIndex {
    /// The index with more vectors: each goes to the list of its nearest centroid and is encoded by what the index was
    /// built with; one whose key the index has takes its place. Searches look as far as before.
    ///
    /// Centroids and codewords stay those of the build: the recall stated holds while the new vectors are like the
    /// old. An index that has grown by half should be built again.
    /// - Parameters:
    ///   - keys: `[m]`, each once.
    ///   - vectors: `[m, d]`.
    /// - Complexity: O(n d) copying, O(m lists d) to find the lists.
    public func updated(
        keys newKeys: SharedBuffer<UInt64>, vectors newVectors: SharedBuffer<Float>, threads: Threads = .one
    ) throws(VectorIndexError) -> VectorIndex {
        _ = try Self.checkedOrder(keys: newKeys, vectors: newVectors, dimension: dimension)
        guard newKeys.count > 0 else { return self }
        var replaced = KeySet()
        replaced.removeAll(reserving: newKeys.count)
        for key in newKeys { replaced.insert(key) }
        let stay = keys.indices.filter { !replaced.contains(keys[$0]) }
        let added = report.metric.prepared(newVectors, dimension: dimension)
        let allKeys = stay.map { keys[$0] } + newKeys
        let rows = Memory<Float>(allKeys.count * dimension, filledWith: 0)
        let old = vectors.gather(stay, width: dimension)
        if old.count > 0 { rows.base.update(from: old.address, count: old.count) }
        (rows.base + old.count).update(from: added.address, count: added.count)
        return regrouped(allKeys, rows.shared, stay: stay, added: added, threads: threads)
    }

    /// Puts old and new vectors together list by list, ascending by key within each.
    private func regrouped(
        _ allKeys: [UInt64], _ rows: SharedBuffer<Float>, stay: [Int], added: SharedBuffer<Float>, threads: Threads
    ) -> VectorIndex {
        let order = Array(allKeys.indices).sorted { allKeys[$0] < allKeys[$1] }
        var grown = report
        grown.vectors = allKeys.count
        guard let lists else {
            return VectorIndex(
                dimension: dimension, keys: SharedBuffer(order.map { allKeys[$0] }),
                vectors: rows.gather(order, width: dimension), lists: nil, report: grown)
        }
        let listOfOld = listOfRow(lists)
        let assignment = stay.map { listOfOld[$0] } + nearestLists(added, lists, threads: threads)
        let (offsets, members) = Self.members(of: order.map { assignment[$0] }, lists: lists.count)
        let places = members.map { order[$0] }
        let matrix = rows.gather(places, width: dimension)
        let shared = SharedBuffer(offsets)
        return VectorIndex(
            dimension: dimension, keys: SharedBuffer(places.map { allKeys[$0] }), vectors: matrix,
            lists: InvertedLists(
                centroids: lists.centroids, dimension: dimension, offsets: shared,
                compressed: recompressed(
                    lists, matrix, shared, rows: places.map { $0 < stay.count ? stay[$0] : nil }, threads)),
            report: grown)
    }

    /// `[n]`.
    func listOfRow(_ lists: InvertedLists) -> [UInt32] {
        var result = [UInt32](repeating: 0, count: count)
        for list in 0..<lists.count {
            for row in lists.range(list) { result[row] = UInt32(list) }
        }
        return result
    }

    private func nearestLists(_ vectors: SharedBuffer<Float>, _ lists: InvertedLists, threads: Threads) -> [UInt32] {
        // As in the build: by direction, whatever the centroid's length.
        let directions = IndexMetric.cosine.prepared(lists.centroids, dimension: dimension)
        return ListAssignment(directions, dimension: dimension, threads: threads).lists(of: vectors)
    }

    /// - Parameter rows: `[n]`: where each vector was before; nil for new ones.
    private func recompressed(
        _ lists: InvertedLists, _ vectors: SharedBuffer<Float>, _ offsets: SharedBuffer<UInt64>, rows: [Int?],
        _ threads: Threads
    ) -> InvertedLists.Compressed {
        switch lists.compressed {
        case .bytes:
            return .bytes(ByteBlocks(encoding: vectors, width: dimension, offsets: offsets, threads: threads))
        case .codes(let codes, _):
            let known = KnownCodes(codes: codes, offsets: lists.offsets, lists: listOfRow(lists), rows: rows)
            return .codes(
                CodeBlocks(
                    encoding: vectors, centroids: lists.centroids, offsets: offsets, quantizer: codes.quantizer,
                    known: known, threads: threads),
                ByteRows(encoding: vectors, width: dimension, threads: threads))
        }
    }
}
