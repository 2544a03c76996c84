import Blobs
import Foundation
import Kernels
import Testing
import VectorIndex

@Suite struct ComponentTests {
    private func sample(exactMax: Int) throws -> VectorIndex {
        var options = VectorIndexOptions()
        options.exactMax = exactMax
        return try VectorIndex.build(
            keys: SharedBuffer(scatteredKeys(600)), vectors: clusteredVectors(600, dimension: 6, centres: 9, seed: 1),
            dimension: 6, queries: clusteredVectors(80, dimension: 6, centres: 9, seed: 2), options: options)
    }

    @Test(arguments: [1_000, 10])
    func aWrittenIndexAnswersAsItDidBefore(exactMax: Int) throws {
        let index = try sample(exactMax: exactMax)
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
        var keys: [UInt64] = [1, 2, 3]
        var vectors: [Float] = [1, 0, 0, 1, 0.6, 0.8]
        var shape = [3, 2]
        var centroids: [Float] = [1, 0, 0, 1]
        var centroidShape = [2, 2]
        var offsets: [UInt64] = [0, 1, 3]
        var metadata = [
            "format": "tributary-vectors/1", "kind": "ivf", "probes": "1", "probe_growth": "0.5", "recall": "0.97",
            "depth": "100",
            "queries": "64", "target_recall": "0.95",
        ]

        init(_ description: String, _ adjust: (inout Fault) -> Void) {
            testDescription = description
            adjust(&self)
        }

        func write(to path: String) throws {
            var writer = SafetensorsWriter(metadata: metadata)
            writer.add("item_key", keys)
            writer.add("vectors", vectors, shape: shape)
            writer.add("centroids", centroids, shape: centroidShape)
            writer.add("list_offsets", offsets)
            try writer.write(to: path)
        }
    }

    @Test func theFaultlessFormLoads() throws {
        try withTemporaryFile { path in
            try Fault("none") { _ in }.write(to: path)
            let index = try VectorIndex(component: SafetensorsFile(path: path))
            #expect(try index.search([1, 0], limit: 3).map(\.id) == [1, 3, 2])
        }
    }

    @Test(arguments: [
        Fault("no format") { $0.metadata["format"] = nil },
        Fault("a later format") { $0.metadata["format"] = "tributary-vectors/2" },
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
            var writer = SafetensorsWriter(metadata: ["format": "tributary-vectors/1"])
            writer.add("item_key", [1 as UInt64])
            try writer.write(to: path)
            let error = #expect(throws: VectorIndexError.self) {
                try VectorIndex(component: SafetensorsFile(path: path))
            }
            #expect(error?.message.contains("vectors") == true)
        }
    }
}
