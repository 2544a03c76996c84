import Blobs
import Kernels
import Testing
import VectorIndex

@Suite struct UpdateTests {
    private static let dimension = 12
    private static let vectors = clusteredVectors(3_000, dimension: dimension, centres: 30, seed: 1)
    private static let keys = scatteredKeys(3_000)
    private static let queries = clusteredVectors(100, dimension: dimension, centres: 30, seed: 2)

    private func build(_ kind: IndexKind, rows: Range<Int>) throws -> VectorIndex {
        var options = VectorIndexOptions()
        options.kind = kind
        options.recallDepth = 50
        return try VectorIndex.build(
            keys: SharedBuffer(Self.keys[rows]), vectors: part(rows), dimension: Self.dimension,
            queries: Self.queries, options: options)
    }

    private func part(_ rows: Range<Int>) -> SharedBuffer<Float> {
        Self.vectors[shared: rows.lowerBound * Self.dimension..<rows.upperBound * Self.dimension]
    }

    private func query(_ row: Int) -> SharedBuffer<Float> {
        Self.queries[shared: row * Self.dimension..<(row + 1) * Self.dimension]
    }

    @Test(arguments: IndexKind.allCases)
    func appendedVectorsAreFoundAmongTheOthers(kind: IndexKind) throws {
        let grown = try build(kind, rows: 0..<2_400).updated(
            keys: SharedBuffer(Self.keys[2_400...]), vectors: part(2_400..<3_000))
        #expect(grown.count == 3_000)
        #expect(grown.report.vectors == 3_000)
        #expect(Set(grown.keys) == Set(Self.keys))
        var (hits, new) = (0, 0)
        for row in 0..<20 {
            let truth = plainSearch(
                Array(query(row)), keys: Self.keys, vectors: Self.vectors, limit: 50)
            let found = Set(try grown.search(query(row), limit: 50).map(\.id))
            hits += found.intersection(truth.map(\.key)).count
            new += found.intersection(Self.keys[2_400...]).count
        }
        #expect(hits >= 900)
        #expect(new > 100)
    }

    @Test(arguments: IndexKind.allCases)
    func aKnownKeyIsReplaced(kind: IndexKind) throws {
        let index = try build(kind, rows: 0..<3_000)
        let moved = Self.keys[5]
        let target = query(0)
        let updated = try index.updated(keys: [moved], vectors: target)
        #expect(updated.count == 3_000)
        #expect(try updated.search(target, limit: 1).map(\.id) == [moved])
        #expect(try index.search(target, limit: 1).map(\.id) != [moved])
    }

    @Test(arguments: [IndexKind.bytes, .codes])
    func growingInStepsIsGrowingAtOnce(kind: IndexKind) throws {
        let start = try build(kind, rows: 0..<2_000)
        let once = try start.updated(keys: SharedBuffer(Self.keys[2_000...]), vectors: part(2_000..<3_000))
        let steps = try start.updated(keys: SharedBuffer(Self.keys[2_500...]), vectors: part(2_500..<3_000))
            .updated(keys: SharedBuffer(Self.keys[2_000..<2_500]), vectors: part(2_000..<2_500))
        try withTemporaryFile { first in
            try withTemporaryFile { second in
                try once.component().write(to: first)
                try steps.component().write(to: second)
                let (left, right) = (try SafetensorsFile(path: first), try SafetensorsFile(path: second))
                for tensor in left.tensors {
                    #expect(try left.bytes(tensor.name) == right.bytes(tensor.name), "\(tensor.name)")
                }
            }
        }
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let index = try build(.exact, rows: 0..<10)
        #expect(throws: VectorIndexError.self) { try index.updated(keys: [1, 1], vectors: part(0..<2)) }
        #expect(throws: VectorIndexError.self) { try index.updated(keys: [1], vectors: [1, 2]) }
        #expect(throws: VectorIndexError.self) {
            try index.updated(keys: [1], vectors: SharedBuffer([Float](repeating: .nan, count: Self.dimension)))
        }
        #expect(try index.updated(keys: [], vectors: []).keys == index.keys)
    }
}
