import Kernels
import Testing
import VectorIndex

@Suite struct ExactSearchTests {
    /// Unit vectors at 0, 30, 60 and 90 degrees, the last twice.
    private let compass = (
        keys: [40, 10, 30, 21, 20] as SharedBuffer<UInt64>,
        vectors: [1, 0, 0.8660254, 0.5, 0.5, 0.8660254, 0, 1, 0, 1] as SharedBuffer<Float>
    )

    private func compassIndex() throws -> VectorIndex {
        try VectorIndex.build(keys: compass.keys, vectors: compass.vectors, dimension: 2, queries: [])
    }

    @Test func scoresAreCosinesAndTiesGoToTheLowerKey() throws {
        let found = try compassIndex().search([0, 1], limit: 4)
        #expect(found.map(\.id) == [20, 21, 30, 10])
        #expect(found.map(\.score) == [1, 1, 0.8660254, 0.5])
    }

    @Test(arguments: [(0, []), (1, [20]), (2, [20, 21]), (Int.max, [20, 21, 30, 10, 40])])
    func limits(limit: Int, expected: [UInt64]) throws {
        #expect(try compassIndex().search([0, 1], limit: limit).map(\.id) == expected)
    }

    @Test func excludedKeysMakeRoomForOthers() throws {
        let index = try compassIndex()
        #expect(try index.search([0, 1], limit: 2, excluding: [20, 30, 5]).map(\.id) == [21, 10])
        #expect(try index.search([0, 1], limit: 2, excluding: Array(compass.keys)).isEmpty)
    }

    @Test func anEmptyIndexFindsNothing() throws {
        let index = try VectorIndex.build(keys: [], vectors: [], dimension: 3, queries: [])
        #expect(try index.search([1, 2, 3], limit: 10).isEmpty)
    }

    @Test(arguments: [1, 7, 8, 9, 33, 1023, 1024, 1025, 2500], [1, 3, 32, 33, 64])
    func agreesWithPlainSums(count: Int, dimension: Int) throws {
        let keys = scatteredKeys(count)
        let vectors = clusteredVectors(count, dimension: dimension, centres: 5, seed: UInt64(count))
        let index = try VectorIndex.build(
            keys: SharedBuffer(keys), vectors: vectors, dimension: dimension, queries: [])
        #expect(index.report.kind == .exact)
        let query = Array(clusteredVectors(1, dimension: dimension, centres: 5, seed: 1_234))
        let found = try index.search(SharedBuffer(query), limit: 50)
        let expected = plainSearch(query, keys: keys, vectors: vectors, limit: 50)
        #expect(found.count == expected.count)
        for (place, (own, plain)) in zip(found, expected).enumerated() {
            #expect(abs(Double(own.score) - plain.score) < 1e-5, "place \(place)")
        }
        let scores = Dictionary(
            uniqueKeysWithValues: plainSearch(query, keys: keys, vectors: vectors, limit: count).map {
                ($0.key, $0.score)
            })
        for own in found { #expect(abs(Double(own.score) - (scores[own.id] ?? .nan)) < 1e-5, "key \(own.id)") }
        #expect(Set(found.map(\.id)).count == found.count)
    }

    @Test func aQueryThatDoesNotFitIsRefused() throws {
        let index = try compassIndex()
        #expect(throws: VectorIndexError.self) { try index.search([1], limit: 1) }
        #expect(throws: VectorIndexError.self) { try index.search([1, .nan], limit: 1) }
        #expect(throws: VectorIndexError.self) { try index.search([.infinity, 0], limit: 1) }
    }

    @Test(
        arguments: [
            (keys: [1, 2], values: [1, 0, 0], dimension: 2),
            (keys: [1, 1], values: [1, 0, 0, 1], dimension: 2),
            (keys: [1], values: [.nan, 0], dimension: 2),
            (keys: [1], values: [], dimension: 0),
        ] as [(keys: [UInt64], values: [Float], dimension: Int)])
    func inputThatDoesNotFitIsRefused(keys: [UInt64], values: [Float], dimension: Int) {
        let error = #expect(throws: VectorIndexError.self) {
            try VectorIndex.build(
                keys: SharedBuffer(keys), vectors: SharedBuffer(values), dimension: dimension, queries: [])
        }
        #expect(error?.code == .invalidInput)
    }
}
