public import Blobs
import Kernels

extension VectorIndex {
    private static let format = "tributary-vectors/2"

    /// The index as tensors: `item_key` U64 `[n]` and `vectors` F32 `[n, d]` in list order; with lists, `centroids` F32
    /// `[lists, d]` and `list_offsets` U64 `[lists + 1]`, and the compressed vectors. The report is the metadata.
    ///
    /// Bytes: `bytes` U8 `[blocks, ceil(d / 4), 16, 4]`, `scales` F32 `[n]`. Codes: `codebook` F32 `[m, width, 16]`, `codes` U8
    /// `[blocks, m / 2, 32]`, `bytes` I8 `[n, d]`, `scales` F32 `[n]`.
    public func component() -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: report.metadata)
        writer.metadata["format"] = Self.format
        writer.add("item_key", keys)
        writer.add("vectors", vectors, shape: [count, dimension])
        guard let lists else { return writer }
        writer.add("centroids", lists.centroids, shape: [lists.count, dimension])
        writer.add("list_offsets", lists.offsets)
        switch lists.compressed {
        case .bytes(let blocks):
            writer.add(
                "bytes", blocks.bytes,
                shape: [blocks.bytes.count / blocks.blockSize, (dimension + 3) / 4, SearchLayout.byteRows, 4])
            writer.add("scales", blocks.scales)
        case .codes(let codes, let rows):
            let quantizer = codes.quantizer
            writer.metadata["eta"] = String(quantizer.eta)
            writer.add(
                "codebook", quantizer.codebook,
                shape: [quantizer.subspaces, quantizer.width, SearchLayout.codes])
            writer.add(
                "codes", codes.codes,
                shape: [codes.codes.count / codes.blockSize, quantizer.subspaces / 2, SearchLayout.codeRows])
            writer.add("bytes", rows.bytes, shape: [count, dimension])
            writer.add("scales", rows.scales)
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
    }

    private init(checking file: SafetensorsFile) throws(BlobError) {
        guard file.metadata["format"] == Self.format else {
            throw BlobError(
                .unsupported,
                "\(file.path): expected format \(Self.format), found \(file.metadata["format"] ?? "none")")
        }
        keys = try file.buffer("item_key", as: UInt64.self, shape: [nil])
        dimension = try file.tensor("vectors").shape.last ?? 0
        guard dimension > 0, keys.count < UInt32.max else {
            throw BlobError(
                .corrupt,
                "\(file.path): tensor \"vectors\": expected a dimension of at least 1 and below 2^32 rows, "
                    + "found \(dimension) and \(keys.count)")
        }
        vectors = try file.finite("vectors", shape: [keys.count, dimension])
        let header = try IndexReport(file.metadata, vectors: keys.count, path: file.path)
        lists =
            try header.kind == .exact
            ? nil : InvertedLists(file, kind: header.kind, count: keys.count, dimension: dimension)
        report = try header.with(lists: lists?.count ?? 0, path: file.path)
        if header.kind == .exact, file.contains("list_offsets") {
            throw BlobError(.corrupt, "\(file.path): tensor \"list_offsets\": an exact index has no lists")
        }
        if let fault = repeatedKey() {
            throw BlobError(.corrupt, "\(file.path): tensor \"item_key\": key \(fault) occurs twice")
        }
    }

    private func repeatedKey() -> UInt64? {
        var set = KeySet()
        set.removeAll(reserving: count)
        for key in keys where !set.insert(key) { return key }
        return nil
    }
}

extension InvertedLists {
    fileprivate init(_ file: SafetensorsFile, kind: IndexKind, count: Int, dimension: Int) throws(BlobError) {
        let centroids = try file.finite("centroids", shape: [nil, dimension])
        guard centroids.count > 0 else {
            throw BlobError(.corrupt, "\(file.path): tensor \"centroids\": expected at least one list, found none")
        }
        let offsets = try file.offsets("list_offsets", spanning: count, rows: centroids.count / dimension)
        let scales = try file.finite("scales", shape: [count])
        let compressed: Compressed
        if kind == .bytes {
            let blocks = ByteBlocks.starts(offsets, rows: SearchLayout.byteRows).blocks
            let bytes = try file.buffer(
                "bytes", as: UInt8.self, shape: [blocks, (dimension + 3) / 4, SearchLayout.byteRows, 4])
            compressed = .bytes(ByteBlocks(width: dimension, offsets: offsets, bytes: bytes, scales: scales))
        } else {
            let (subspaces, width) = ProductQuantizer.shape(dimension: dimension)
            let codebook = try file.finite("codebook", shape: [subspaces, width, SearchLayout.codes])
            let blocks = ByteBlocks.starts(offsets, rows: SearchLayout.codeRows).blocks
            let codes = try file.buffer(
                "codes", as: UInt8.self, shape: [blocks, subspaces / 2, SearchLayout.codeRows])
            let bytes = try file.buffer("bytes", as: Int8.self, shape: [count, dimension])
            if let fault = bytes.firstIndex(of: -128) {
                throw BlobError(
                    .corrupt, "\(file.path): tensor \"bytes\": row \(fault / dimension) holds -128, expected -127...127"
                )
            }
            guard let eta = file.metadata["eta"].flatMap({ Float($0) }), (1...1_000).contains(eta) else {
                throw BlobError(
                    .corrupt, "\(file.path): metadata \"eta\": found \(file.metadata["eta"] ?? "nothing")")
            }
            compressed = .codes(
                CodeBlocks(
                    quantizer: ProductQuantizer(dimension: dimension, codebook: codebook, eta: eta),
                    offsets: offsets, codes: codes),
                ByteRows(width: dimension, bytes: bytes, scales: scales))
        }
        self.init(centroids: centroids, dimension: dimension, offsets: offsets, compressed: compressed)
    }
}

extension SafetensorsFile {
    /// A tensor of which every value is finite.
    fileprivate func finite(_ name: String, shape: [Int?]) throws(BlobError) -> SharedBuffer<Float> {
        let values = try buffer(name, as: Float.self, shape: shape)
        let fault = values.withUnsafeBufferPointer { values in values.firstIndex { !$0.isFinite } }
        if let fault {
            let width = max(1, values.count / max(1, try tensor(name).shape.first ?? 1))
            throw BlobError(
                .corrupt,
                "\(path): tensor \"\(name)\": row \(fault / width) holds \(values[fault]), expected a finite value")
        }
        return values
    }
}

extension IndexReport {
    var metadata: [String: String] {
        [
            "kind": kind.rawValue, "metric": metric.rawValue, "probes": String(probes), "rerank": String(rerank),
            "patience": String(patience), "probe_growth": String(probeGrowth), "recall": String(recall),
            "depth": String(depth),
            "queries": String(queries), "target_recall": String(targetRecall),
        ]
    }

    /// More would cost more than scoring everything.
    private static let rerankMax = 1_000.0

    /// Reads the report back; its number of lists is still to be told.
    fileprivate init(_ metadata: [String: String], vectors: Int, path: String) throws(BlobError) {
        func value<Value>(_ name: String, _ parse: (String) -> Value?) throws(BlobError) -> Value {
            guard let value = metadata[name].flatMap(parse) else {
                throw BlobError(.corrupt, "\(path): metadata \"\(name)\": found \(metadata[name] ?? "nothing")")
            }
            return value
        }
        kind = try value("kind", IndexKind.init(rawValue:))
        metric = try value("metric", IndexMetric.init(rawValue:))
        probes = try value("probes") { Int($0) }
        let least = kind == .exact ? 0.0 : 1.0
        rerank = try value("rerank") {
            Double($0).flatMap { (least...Self.rerankMax).contains($0) ? $0 : nil }
        }
        patience = try value("patience") { Int($0).flatMap { $0 >= 0 ? $0 : nil } }
        probeGrowth = try value("probe_growth") { Double($0).flatMap { (0...1).contains($0) ? $0 : nil } }
        recall = try value("recall") { Double($0) }
        depth = try value("depth") { Int($0).flatMap { (1...Int(UInt32.max)).contains($0) ? $0 : nil } }
        queries = try value("queries") { Int($0) }
        targetRecall = try value("target_recall") { Double($0) }
        self.vectors = vectors
        lists = 0
    }

    /// The report held against the number of lists.
    fileprivate func with(lists: Int, path: String) throws(BlobError) -> IndexReport {
        let range = kind == .exact ? 0...0 : 1...max(1, lists)
        guard range.contains(probes) else {
            throw BlobError(
                .corrupt, "\(path): an index of kind \(kind.rawValue) cannot search \(probes) of \(lists) lists")
        }
        var report = self
        report.lists = lists
        return report
    }
}
