import Kernels
import Testing
import VectorIndex

/// Vectors of very different lengths, as factors of a matrix are.
@Suite struct MetricTests {
    private static let count = 4_000
    private static let dimension = 16
    private static let keys = scatteredKeys(count)
    private static let vectors = stretched(clusteredVectors(count, dimension: dimension, centres: 40, seed: 1), seed: 5)
    private static let queries = stretched(
        clusteredVectors(160, dimension: dimension, centres: 40, seed: 2), seed: 6)

    private static func stretched(_ unit: SharedBuffer<Float>, seed: UInt64) -> SharedBuffer<Float> {
        var random = SeededGenerator(seed: seed)
        let lengths = (0..<unit.count / dimension).map { _ in exponential(Float(random.normal())) }
        return SharedBuffer(unit.indices.map { unit[$0] * lengths[$0 / dimension] })
    }

    private func query(_ row: Int) -> SharedBuffer<Float> {
        Self.queries[shared: row * Self.dimension..<(row + 1) * Self.dimension]
    }

    private func build(_ kind: IndexKind, _ metric: IndexMetric) throws -> VectorIndex {
        var options = VectorIndexOptions()
        options.kind = kind
        options.metric = metric
        options.recallDepth = 50
        options.targetRecall = 0.9
        return try VectorIndex.build(
            keys: SharedBuffer(Self.keys), vectors: Self.vectors, dimension: Self.dimension,
            queries: Self.queries, options: options)
    }

    @Test(arguments: [IndexKind.exact, .bytes])
    func longVectorsWinByInnerProduct(kind: IndexKind) throws {
        let index = try build(kind, .innerProduct)
        #expect(index.report.recall >= 0.9)
        var hits = 0
        for row in 0..<10 {
            let truth = plainSearch(Array(query(row)), keys: Self.keys, vectors: Self.vectors, limit: 50)
            hits += Set(try index.search(query(row), limit: 50).map(\.id)).intersection(truth.map(\.key)).count
        }
        #expect(hits >= 430)
        #expect(kind == .exact || index.report.probes < index.report.lists)
    }

    @Test(arguments: [(Float(1), IndexKind.bytes), (0.5, .bytes), (0.1, .codes), (0, .codes)])
    func vectorsOfVeryDifferentLengthsAreNoMatterForCodes(spread: Float, kind: IndexKind) throws {
        var random = SeededGenerator(seed: 9)
        let unit = clusteredVectors(2_000, dimension: 8, centres: 20, seed: 1)
        let lengths = (0..<2_000).map { _ in exponential(spread * Float(random.normal())) }
        var options = VectorIndexOptions()
        (options.exactMax, options.bytesMax) = (100, 100)
        let index = try VectorIndex.build(
            keys: SharedBuffer(scatteredKeys(2_000)),
            vectors: SharedBuffer(unit.indices.map { unit[$0] * lengths[$0 / 8] }),
            dimension: 8, queries: clusteredVectors(80, dimension: 8, centres: 20, seed: 2), options: options)
        #expect(index.report.kind == kind)
        #expect(index.report.recall >= 0.95)
    }

    @Test(arguments: IndexKind.allCases)
    func lengthsDoNotMatterByCosine(kind: IndexKind) throws {
        let index = try build(kind, .cosine)
        let unit = clusteredVectors(Self.count, dimension: Self.dimension, centres: 40, seed: 1)
        var hits = 0
        for row in 0..<10 {
            let truth = plainSearch(Array(query(row)), keys: Self.keys, vectors: unit, limit: 50)
            let found = try index.search(query(row), limit: 50)
            hits += Set(found.map(\.id)).intersection(truth.map(\.key)).count
            #expect(found.allSatisfy { abs($0.score) <= 1.0001 })
            let longer = SharedBuffer(query(row).map { $0 * 8 })
            #expect(try index.search(longer, limit: 50) == found)
        }
        #expect(hits >= 430)
    }

    @Test(arguments: IndexKind.allCases)
    func aQueryOfZerosFindsSomethingAndDoesNotFail(kind: IndexKind) throws {
        let index = try build(kind, .cosine)
        let zeros = SharedBuffer([Float](repeating: 0, count: Self.dimension))
        #expect(try index.search(zeros, limit: 10).count == 10)
    }
}
