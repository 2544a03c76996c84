import Kernels
import Testing
import VectorIndex

@Suite struct FilteredSearchTests {
    private static let count = 6_000
    private static let dimension = 16
    private static let keys = scatteredKeys(count)
    private static let vectors = clusteredVectors(count, dimension: dimension, centres: 60, seed: 1)
    private static let queries = clusteredVectors(200, dimension: dimension, centres: 60, seed: 2)
    private static let fresh = clusteredVectors(12, dimension: dimension, centres: 60, seed: 3)

    private static func build(_ kind: IndexKind) throws -> VectorIndex {
        var options = VectorIndexOptions()
        options.kind = kind
        options.recallDepth = 20
        return try VectorIndex.build(
            keys: SharedBuffer(keys), vectors: vectors, dimension: dimension, queries: queries, options: options)
    }

    private static let indexes = Result {
        try Dictionary(uniqueKeysWithValues: IndexKind.allCases.map { ($0, try build($0)) })
    }

    /// Mean share of the true best 20 of the allowed that is found; every one found must be allowed.
    private func recall(_ index: VectorIndex, allowed: (UInt64) -> Bool) throws -> Double {
        let filter = index.filter(where: allowed)
        let denied = Set(Self.keys.filter { !allowed($0) })
        var (hits, all) = (0, 0)
        for row in 0..<12 {
            let query = Self.fresh[shared: row * Self.dimension..<(row + 1) * Self.dimension]
            let found = try index.search(query, limit: 20, filter: filter)
            let truth = plainSearch(
                Array(query), keys: Self.keys, vectors: Self.vectors, limit: 20, excluded: denied)
            #expect(found.count == truth.count)
            #expect(found.allSatisfy { allowed($0.id) })
            hits += Set(found.map(\.id)).intersection(truth.map(\.key)).count
            all += truth.count
        }
        return all == 0 ? 1 : Double(hits) / Double(all)
    }

    @Test(arguments: IndexKind.allCases, [500, 100, 50, 10, 2])
    func randomFiltersCostNoRecall(kind: IndexKind, permille: UInt64) throws {
        let index = try #require(try Self.indexes.get()[kind])
        let recall = try recall(index) { $0 &* 0x9E37_79B9_7F4A_7C15 >> 32 % 1_000 < permille }
        #expect(recall >= 0.9)
    }

    /// What is allowed lies far from most queries: the lists near them hold nothing.
    @Test(arguments: IndexKind.allCases, [0.1, 0.3])
    func filtersOfOneRegionCostNoRecall(kind: IndexKind, share: Double) throws {
        let index = try #require(try Self.indexes.get()[kind])
        let centre = Array(Self.fresh[shared: 0..<Self.dimension])
        let near = Set(
            plainSearch(
                centre, keys: Self.keys, vectors: Self.vectors, limit: Int(share * Double(Self.count))
            ).map(\.key))
        let recall = try recall(index) { near.contains($0) }
        #expect(recall >= 0.9)
    }

    @Test(arguments: IndexKind.allCases)
    func allOrNothing(kind: IndexKind) throws {
        let index = try #require(try Self.indexes.get()[kind])
        let query = Self.fresh[shared: 0..<Self.dimension]
        #expect(try index.search(query, limit: 5, filter: index.filter { _ in false }).isEmpty)
        #expect(
            try index.search(query, limit: 5, filter: index.filter { _ in true }) == index.search(query, limit: 5))
        let one = Self.keys[77]
        #expect(try index.search(query, limit: 5, filter: index.filter { $0 == one }).map(\.id) == [one])
    }

    @Test(arguments: IndexKind.allCases)
    func whatIsExcludedIsNotFoundThroughAFilterEither(kind: IndexKind) throws {
        let index = try #require(try Self.indexes.get()[kind])
        let query = Self.fresh[shared: 0..<Self.dimension]
        for modulus in [2, 100] as [UInt64] {
            let filter = index.filter { $0 % modulus == 1 }
            let first = try index.search(query, limit: 10, filter: filter)
            let second = try index.search(query, limit: 10, filter: filter, excluding: first.map(\.id))
            #expect(second.count == 10)
            #expect(Set(first.map(\.id)).isDisjoint(with: second.map(\.id)))
            #expect(second.allSatisfy { $0.id % modulus == 1 })
        }
    }

    @Test func aFilterOfAnotherIndexIsRefused() throws {
        let other = try VectorIndex.build(keys: [1], vectors: [1, 0], dimension: 2, queries: [])
        let index = try Self.build(.exact)
        let error = #expect(throws: VectorIndexError.self) {
            try index.search(
                Self.fresh[shared: 0..<Self.dimension], limit: 1, filter: other.filter { _ in true })
        }
        #expect(error?.code == .invalidInput)
    }

    @Test func categoriesAndAgeChooseVectors() throws {
        let index = try VectorIndex.build(
            keys: [1, 2, 3, 4], vectors: [1, 0, 0.8, 0.6, 0.6, 0.8, 0, 1], dimension: 2, queries: [])
        let attributes = RowAttributes(index, category: { $0 < 3 ? 7 : 9 }, time: { Int64($0) * 1_000 })
        func found(_ filter: RowFilter) throws -> [UInt64] {
            try index.search([1, 0], limit: 4, filter: filter).map(\.id)
        }
        #expect(try found(attributes.filter()) == [1, 2, 3, 4])
        #expect(try found(attributes.filter(categories: [9])) == [3, 4])
        #expect(try found(attributes.filter(since: 2_000)) == [2, 3, 4])
        #expect(try found(attributes.filter(categories: [7], since: 2_000)) == [2])
        #expect(try found(attributes.filter(categories: [])) == [])
    }
}
