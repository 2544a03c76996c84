public import Blobs
import Catalog
import Kernels
import VectorIndex

extension ChannelLoader {
    public static let deepRetrieval = ChannelLoader(
        name: ChannelName.deepRetrieval, component: "deep-retrieval-paths"
    ) { try PathChannel(component: $0) }
}

/// The items on a user's paths (Gao et al., "Deep Retrieval", 2020), best first by a small model.
///
/// The input's keys are the paths of the user's beam search, their weights log p(path | user), the vector is the user's.
/// score(i) = user . vector of i + w log(sum of p(path | user) over those of the paths that lead to i), where w is the
/// component's. Sums run in the order of the keys, so shards and whole agree to the last bit.
public struct PathChannel: RecallChannel {
    /// Paths of an input that are looked at, the first.
    public static let pathsMax = 1_000

    private let rows: KeyRows
    /// `[entries]`: rows of `items`.
    private let entries: SharedBuffer<UInt32>
    private let items: SharedBuffer<UInt64>
    /// `[items, dimension]`.
    private let vectors: SharedBuffer<Float>
    private let dimension: Int
    /// w.
    private let pathWeight: Float
    /// Below this a path's log-probability makes no difference any more; its exponential is still a normal number.
    private static let logProbabilityMin: Float = -80

    /// - Complexity: O(paths + entries + items d): everything is checked.
    public init(component file: SafetensorsFile) throws(BlobError) {
        items = try file.buffer("item_key", as: UInt64.self, shape: [nil])
        entries = try file.buffer("item", as: UInt32.self, shape: [nil])
        dimension = try file.tensor("vectors").shape.last ?? 0
        vectors = try file.buffer("vectors", as: Float.self, shape: [items.count, dimension])
        guard let weight = file.metadata["path_weight"].flatMap({ Float($0) }), weight >= 0, weight.isFinite else {
            throw BlobError(
                .corrupt,
                "\(file.path): metadata \"path_weight\": expected a number of at least 0, found "
                    + (file.metadata["path_weight"] ?? "none"))
        }
        pathWeight = weight
        guard dimension > 0 || items.isEmpty else {
            throw BlobError(.corrupt, "\(file.path): tensor \"vectors\": expected at least one column")
        }
        rows = try KeyRows(file, key: "path", spanning: entries.count)
        for row in items.indices.dropFirst() where items[row - 1] >= items[row] {
            throw BlobError(
                .corrupt,
                "\(file.path): tensor \"item_key\": row \(row) is \(items[row]), not above \(items[row - 1])")
        }
        for range in rows.ranges {
            for entry in range {
                guard Int(entries[entry]) < items.count,
                    entry == range.lowerBound || entries[entry - 1] < entries[entry]
                else {
                    throw BlobError(
                        .corrupt,
                        "\(file.path): tensor \"item\": entry \(entry) is \(entries[entry]) of \(items.count) items, "
                            + "expected ascending rows within a path")
                }
            }
        }
        if let fault = vectors.firstIndex(where: { !$0.isFinite }) {
            throw BlobError(
                .corrupt, "\(file.path): tensor \"vectors\": row \(fault / max(dimension, 1)) holds \(vectors[fault])")
        }
    }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        if input.keys.isEmpty || items.isEmpty { return Candidates() }
        guard input.vector.count == dimension else {
            throw RecallError(
                .invalidRequest, "the user vector has \(input.vector.count) elements, the items' have \(dimension)")
        }
        scratch.sums.reserve(rows: items.count)
        let count = min(input.keys.count, Self.pathsMax)
        entries.withUnsafeBufferPointer { entries in
            for place in 0..<count {
                let weight = input.weights[place]
                if weight.isNaN { continue }
                let probability = exponential(min(max(weight, Self.logProbabilityMin), 0))
                for entry in rows.entries(of: input.keys[place]) { scratch.sums.add(probability, to: entries[entry]) }
            }
        }
        return Candidates(best(min(limit, items.count), of: &scratch.sums, input, scratch.excluded))
    }

    /// The best rows that are not excluded; leaves the sums empty.
    private func best(
        _ limit: Int, of sums: inout SparseSums, _ input: ChannelInput, _ excluded: borrowing KeySet
    ) -> [Scored] {
        var best = TopK(limit)
        items.withUnsafeBufferPointer { items in
            vectors.withUnsafeBufferPointer { vectors in
                input.vector.withUnsafeBufferPointer { user in
                    guard let vectors = vectors.baseAddress, let user = user.baseAddress else { return }
                    sums.drain { row, probability in
                        let score =
                            kernels.dot(user, vectors + Int(row) * dimension, count: dimension)
                            + pathWeight * logarithm(probability)
                        guard score >= best.threshold, !excluded.contains(items[Int(row)]) else { return }
                        best.offer(score: score, id: items[Int(row)])
                    }
                }
            }
        }
        return best.take()
    }
}
