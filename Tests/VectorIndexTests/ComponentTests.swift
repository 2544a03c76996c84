import Blobs
import Foundation
import Kernels
import Testing
import VectorIndex

@Suite struct ComponentTests {
    private func sample(_ kind: IndexKind) throws -> VectorIndex {
        var options = VectorIndexOptions()
        options.kind = kind
        options.metric = .cosine
        return try VectorIndex.build(
            keys: SharedBuffer(scatteredKeys(600)), vectors: clusteredVectors(600, dimension: 6, centres: 9, seed: 1),
            dimension: 6, queries: clusteredVectors(80, dimension: 6, centres: 9, seed: 2), options: options)
    }

    @Test(arguments: IndexKind.allCases)
    func aWrittenIndexAnswersAsItDidBefore(kind: IndexKind) throws {
        let index = try sample(kind)
        try withTemporaryFile { path in
            try index.component().write(to: path)
            let loaded = try VectorIndex(component: SafetensorsFile(path: path))
            #expect(loaded.report == index.report)
            #expect(loaded.dimension == 6)
            let query = clusteredVectors(1, dimension: 6, centres: 9, seed: 3)
            #expect(try loaded.search(query, limit: 40) == index.search(query, limit: 40))
        }
    }

    /// Tensors of an index of three vectors in two lists, and one fault in them.
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var kind = IndexKind.bytes
        var keys: [UInt64] = [1, 2, 3]
        var vectors: [Float] = [1, 0, 0, 1, 0.6, 0.8]
        var shape = [3, 2]
        var centroids: [Float] = [1, 0, 0, 1]
        var centroidShape = [2, 2]
        var offsets: [UInt64] = [0, 1, 3]
        var scales: [Float] = [1.0 / 127, 1.0 / 127, 0.8 / 127]
        /// Blocks of 16 rows of 4 bytes.
        var blocks = [UInt8](repeating: 128, count: 128)
        var blockShape = [2, 1, 16, 4]
        var rows: [Int8] = [127, 0, 0, 127, 95, 127]
        var codebook = [Float](repeating: 0, count: 128)
        var codebookShape = [4, 2, 16]
        var codes = [UInt8](repeating: 0, count: 128)
        var codesShape = [2, 2, 32]
        var metadata = [
            "format": "tributary-vectors/2", "eta": "4", "metric": "inner-product", "probes": "1", "rerank": "3",
            "patience": "6",
            "probe_growth": "0.5", "recall": "0.97", "depth": "100", "queries": "64", "target_recall": "0.95",
        ]

        init(_ description: String, _ kind: IndexKind = .bytes, _ adjust: (inout Fault) -> Void) {
            testDescription = "\(kind.rawValue): \(description)"
            self.kind = kind
            metadata["kind"] = kind.rawValue
            (blocks[0], blocks[65], blocks[68], blocks[69]) = (255, 255, 223, 255)
            adjust(&self)
        }

        func write(to path: String) throws {
            var writer = SafetensorsWriter(metadata: metadata)
            writer.add("item_key", keys)
            writer.add("vectors", vectors, shape: shape)
            writer.add("centroids", centroids, shape: centroidShape)
            writer.add("list_offsets", offsets)
            writer.add("scales", scales)
            if kind == .codes {
                writer.add("codebook", codebook, shape: codebookShape)
                writer.add("codes", codes, shape: codesShape)
                writer.add("bytes", rows, shape: [rows.count / 2, 2])
            } else {
                writer.add("bytes", blocks, shape: blockShape)
            }
            try writer.write(to: path)
        }
    }

    @Test(arguments: [IndexKind.bytes, .codes])
    func theFaultlessFormLoads(kind: IndexKind) throws {
        try withTemporaryFile { path in
            try Fault("none", kind) { _ in }.write(to: path)
            let index = try VectorIndex(component: SafetensorsFile(path: path))
            #expect(try index.search([1, 0], limit: 3).map(\.id) == [1, 3, 2])
        }
    }

    @Test(arguments: [
        Fault("no format") { $0.metadata["format"] = nil },
        Fault("a later format") { $0.metadata["format"] = "tributary-vectors/3" },
        Fault("no kind") { $0.metadata["kind"] = nil },
        Fault("an unknown kind") { $0.metadata["kind"] = "tree" },
        Fault("exact with lists") { $0.metadata["kind"] = "exact" },
        Fault("no probes") { $0.metadata["probes"] = "0" },
        Fault("negative probes") { $0.metadata["probes"] = "-1" },
        Fault("more probes than lists") { $0.metadata["probes"] = "3" },
        Fault("probes that are no number") { $0.metadata["probes"] = "1e9" },
        Fault("growth beyond one") { $0.metadata["probe_growth"] = "1.5" },
        Fault("no depth") { $0.metadata["depth"] = "0" },
        Fault("no recall") { $0.metadata["recall"] = nil },
        Fault("nothing scored again") { $0.metadata["rerank"] = "0" },
        Fault("scored again without end") { $0.metadata["rerank"] = "inf" },
        Fault("negative patience") { $0.metadata["patience"] = "-1" },
        Fault("an unknown metric") { $0.metadata["metric"] = "euclid" },
        Fault("a depth beyond all counting") { $0.metadata["depth"] = "9223372036854775807" },
        Fault("a key twice") { $0.keys = [1, 2, 2] },
        Fault("too few keys") { $0.keys = [1, 2] },
        Fault("a vector that is not a number") { $0.vectors[3] = .nan },
        Fault("an infinite vector") { $0.vectors[0] = .infinity },
        Fault("an infinite centroid") { $0.centroids[2] = -.infinity },
        Fault("vectors of one dimension") { $0.shape = [6] },
        Fault("vectors of the other shape") { $0.shape = [2, 3] },
        Fault("centroids of another width") { $0.centroidShape = [1, 4] },
        Fault("offsets that descend") { $0.offsets = [0, 4, 3] },
        Fault("offsets that end early") { $0.offsets = [0, 1, 2] },
        Fault("offsets that end late") { $0.offsets = [0, 1, 4] },
        Fault("offsets that begin late") { $0.offsets = [1, 2, 3] },
        Fault("too many lists") { $0.offsets = [0, 1, 2, 3] },
        Fault("no lists") { ($0.centroids, $0.centroidShape, $0.offsets) = ([], [0, 2], [3]) },
        Fault("too few scales") { $0.scales = [1, 1] },
        Fault("an infinite scale") { $0.scales[1] = .infinity },
        Fault("a block missing") { ($0.blocks, $0.blockShape) = (Array($0.blocks.prefix(64)), [1, 1, 16, 4]) },
        Fault("blocks of another width") { $0.blockShape = [1, 2, 16, 4] },
        Fault("a codeword that is not a number", .codes) { $0.codebook[7] = .nan },
        Fault("too few subspaces", .codes) {
            ($0.codebook, $0.codebookShape) = (Array($0.codebook.prefix(64)), [2, 2, 16])
        },
        Fault("a block of codes missing", .codes) {
            ($0.codes, $0.codesShape) = (Array($0.codes.prefix(64)), [1, 2, 32])
        },
        Fault("no eta", .codes) { $0.metadata["eta"] = nil },
        Fault("an eta below one", .codes) { $0.metadata["eta"] = "0.5" },
        Fault("bytes of too few rows", .codes) { $0.rows.removeLast(2) },
        Fault("a byte that has no opposite", .codes) { $0.rows[3] = -128 },
    ])
    func hostileComponentsAreRefused(fault: Fault) throws {
        try withTemporaryFile { path in
            try fault.write(to: path)
            let file = try SafetensorsFile(path: path)
            let error = #expect(throws: VectorIndexError.self) { try VectorIndex(component: file) }
            #expect(error?.message.contains(path) == true, "\(error as Any)")
        }
    }

    @Test func aMissingTensorIsNamed() throws {
        try withTemporaryFile { path in
            var writer = SafetensorsWriter(metadata: ["format": "tributary-vectors/2"])
            writer.add("item_key", [1 as UInt64])
            try writer.write(to: path)
            let error = #expect(throws: VectorIndexError.self) {
                try VectorIndex(component: SafetensorsFile(path: path))
            }
            #expect(error?.message.contains("vectors") == true)
        }
    }
}
