public import Blobs
import Kernels

extension VectorIndex {
    private static let format = "tributary-vectors/1"

    /// The index as tensors: `item_key` U64 `[n]` and `vectors` F32 `[n, d]` in list order; with lists, `centroids` F32
    /// `[lists, d]` and `list_offsets` U64 `[lists + 1]`. The report is the metadata.
    public func component() -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: report.metadata)
        writer.metadata["format"] = Self.format
        writer.add("item_key", keys)
        writer.add("vectors", vectors, shape: [count, dimension])
        if let lists {
            writer.add("centroids", lists.centroids, shape: [lists.count, dimension])
            writer.add("list_offsets", lists.offsets)
        }
        return writer
    }

    /// Maps an index and checks all of it, so that no search can meet a fault.
    ///
    /// - Complexity: O(n d): every value is read once.
    public init(component file: SafetensorsFile) throws(VectorIndexError) {
        do throws(BlobError) {
            try self.init(checking: file)
        } catch {
            throw VectorIndexError(.corrupt, error.message, cause: error.cause)
        }
        try check(path: file.path)
    }

    private init(checking file: SafetensorsFile) throws(BlobError) {
        guard file.metadata["format"] == Self.format else {
            throw BlobError(
                .unsupported,
                "\(file.path): expected format \(Self.format), found \(file.metadata["format"] ?? "none")")
        }
        keys = try file.buffer("item_key", as: UInt64.self, shape: [nil])
        dimension = try file.tensor("vectors").shape.last ?? 0
        vectors = try file.buffer("vectors", as: Float.self, shape: [keys.count, dimension])
        if file.contains("centroids") {
            let centroids = try file.buffer("centroids", as: Float.self, shape: [nil, dimension])
            let rows = dimension > 0 ? centroids.count / dimension : 0
            lists = InvertedLists(
                centroids: centroids, offsets: try file.offsets("list_offsets", spanning: keys.count, rows: rows))
        } else {
            lists = nil
        }
        report = try IndexReport(file.metadata, vectors: keys.count, lists: lists?.count ?? 0, path: file.path)
    }

    private func check(path: String) throws(VectorIndexError) {
        guard dimension > 0 else {
            throw VectorIndexError(.corrupt, "\(path): tensor \"vectors\": expected a dimension of at least 1, found 0")
        }
        for (name, values) in [("vectors", vectors), ("centroids", lists?.centroids ?? [])] {
            if let fault = values.firstIndex(where: { !$0.isFinite }) {
                throw VectorIndexError(
                    .corrupt,
                    "\(path): tensor \"\(name)\": row \(fault / dimension) holds \(values[fault]), expected a finite value"
                )
            }
        }
        if let fault = repeatedKey() {
            throw VectorIndexError(.corrupt, "\(path): tensor \"item_key\": key \(fault) occurs twice")
        }
    }

    private func repeatedKey() -> UInt64? {
        var set = KeySet()
        set.removeAll(reserving: count)
        for key in keys where !set.insert(key) { return key }
        return nil
    }
}

extension IndexReport {
    var metadata: [String: String] {
        [
            "kind": kind.rawValue, "probes": String(probes), "probe_growth": String(probeGrowth),
            "recall": String(recall), "depth": String(depth), "queries": String(queries),
            "target_recall": String(targetRecall),
        ]
    }

    /// Reads the report back, and holds it against the tensors.
    init(_ metadata: [String: String], vectors: Int, lists: Int, path: String) throws(BlobError) {
        func value<Value>(_ name: String, _ parse: (String) -> Value?) throws(BlobError) -> Value {
            guard let value = metadata[name].flatMap(parse) else {
                throw BlobError(.corrupt, "\(path): metadata \"\(name)\": found \(metadata[name] ?? "nothing")")
            }
            return value
        }
        kind = try value("kind", Kind.init(rawValue:))
        probes = try value("probes") { Int($0) }
        probeGrowth = try value("probe_growth") { Double($0).flatMap { (0...1).contains($0) ? $0 : nil } }
        recall = try value("recall") { Double($0) }
        depth = try value("depth") { Int($0).flatMap { $0 > 0 ? $0 : nil } }
        queries = try value("queries") { Int($0) }
        targetRecall = try value("target_recall") { Double($0) }
        self.vectors = vectors
        self.lists = lists
        let range = kind == .exact ? 0...0 : 1...max(1, lists)
        guard range.contains(probes), (kind == .exact) == (lists == 0) else {
            throw BlobError(
                .corrupt, "\(path): an index of kind \(kind.rawValue) cannot search \(probes) of \(lists) lists")
        }
    }
}
