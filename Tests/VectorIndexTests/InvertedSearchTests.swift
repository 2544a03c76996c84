import Kernels
import Testing
import VectorIndex

@Suite struct InvertedSearchTests {
    private static let count = 3_000
    private static let dimension = 24
    private static let keys = scatteredKeys(count)
    private static let vectors = clusteredVectors(count, dimension: dimension, centres: 80, seed: 1)
    private static let queries = clusteredVectors(200, dimension: dimension, centres: 80, seed: 2)
    /// Queries that no build has seen.
    private static let fresh = clusteredVectors(50, dimension: dimension, centres: 80, seed: 3)

    static let kinds = [IndexKind.bytes, .codes]

    private func build(
        _ kind: IndexKind, _ adjust: (inout VectorIndexOptions) -> Void = { _ in }
    ) throws -> VectorIndex {
        var options = VectorIndexOptions()
        options.kind = kind
        options.threads = 2
        adjust(&options)
        return try VectorIndex.build(
            keys: SharedBuffer(Self.keys), vectors: Self.vectors, dimension: Self.dimension, queries: Self.queries,
            options: options)
    }

    private func query(_ row: Int) -> [Float] {
        Array(Self.fresh[shared: row * Self.dimension..<(row + 1) * Self.dimension])
    }

    /// Mean share of the true best `depth` found, by plain sums.
    private func recall(of index: VectorIndex, depth: Int, excluded: Set<UInt64> = []) throws -> Double {
        var hits = 0
        for row in 0..<8 {
            let truth = plainSearch(
                query(row), keys: Self.keys, vectors: Self.vectors, limit: depth, excluded: excluded)
            let found = try index.search(SharedBuffer(query(row)), limit: depth, excluding: Array(excluded))
            hits += Set(truth.map(\.key)).intersection(found.map(\.id)).count
        }
        return Double(hits) / Double(8 * depth)
    }

    @Test(arguments: kinds, [0.8, 0.95, 0.99])
    func findsWhatItPromises(kind: IndexKind, target: Double) throws {
        let index = try build(kind) { $0.targetRecall = target }
        #expect(index.report.kind == kind)
        #expect(index.report.recall >= target)
        #expect(index.report.queries == 100)
        #expect(index.report.probes < index.report.lists)
        // Other queries than the build's: the mean over 800 places may lie a little lower.
        #expect(try recall(of: index, depth: 100) >= target - 0.03)
    }

    @Test(arguments: kinds)
    func aBuildBelowItsTargetFails(kind: IndexKind) {
        let error = #expect(throws: VectorIndexError.self) {
            try build(kind) {
                $0.probes = 1
                $0.targetRecall = 0.99
            }
        }
        #expect(error?.code == .recallBelowTarget)
        #expect(error?.message.contains("below the target 0.99: 1 of 219 lists") == true, "\(error as Any)")
    }

    @Test(arguments: [(63, IndexKind.exact), (64, .codes)])
    func tooFewQueriesToStateARecallMakeTheIndexExact(queries: Int, kind: IndexKind) throws {
        var options = VectorIndexOptions()
        options.kind = .codes
        let index = try VectorIndex.build(
            keys: SharedBuffer(scatteredKeys(300)), vectors: clusteredVectors(300, dimension: 2, centres: 5, seed: 1),
            dimension: 2, queries: clusteredVectors(queries, dimension: 2, centres: 5, seed: 2), options: options)
        #expect(index.report.kind == kind)
    }

    @Test(arguments: [[1, 2, 3], [.nan, 0]] as [SharedBuffer<Float>])
    func queriesThatDoNotFitAreRefused(queries: SharedBuffer<Float>) {
        #expect(throws: VectorIndexError.self) {
            try VectorIndex.build(keys: [1], vectors: [1, 0], dimension: 2, queries: queries)
        }
    }

    @Test(arguments: [(100, IndexKind.exact), (101, .bytes), (200, .bytes), (201, .codes)])
    func theKindFollowsTheSize(count: Int, kind: IndexKind) throws {
        var options = VectorIndexOptions()
        (options.exactMax, options.bytesMax) = (100, 200)
        let index = try VectorIndex.build(
            keys: SharedBuffer(scatteredKeys(count)),
            vectors: clusteredVectors(count, dimension: 4, centres: 5, seed: 1), dimension: 4,
            queries: clusteredVectors(64, dimension: 4, centres: 5, seed: 2), options: options)
        #expect(index.report.kind == kind)
    }

    @Test(arguments: kinds)
    func scoresAreThoseOfTheExactScan(kind: IndexKind) throws {
        let index = try build(kind)
        let exact = try build(.exact)
        for row in 0..<4 {
            let found = try index.search(SharedBuffer(query(row)), limit: 20)
            let all = try exact.search(SharedBuffer(query(row)), limit: .max)
            let scores = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0.score) })
            #expect(found.allSatisfy { scores[$0.id] == $0.score })
            #expect(found == found.sorted(by: Scored.precedes))
        }
    }

    /// A thousand vectors in ten places: which of equal ones is found does not matter, and the lower keys come first.
    @Test(arguments: kinds)
    func equalVectorsComeByAscendingKey(kind: IndexKind) throws {
        let places = clusteredVectors(10, dimension: 8, centres: 10, seed: 4)
        var options = VectorIndexOptions()
        options.kind = kind
        options.recallDepth = 10
        let index = try VectorIndex.build(
            keys: SharedBuffer((0..<1_000).map { UInt64($0) }),
            vectors: SharedBuffer((0..<1_000).flatMap { row in (0..<8).map { places[row % 10 * 8 + $0] } }),
            dimension: 8, queries: clusteredVectors(64, dimension: 8, centres: 10, seed: 5), options: options)
        #expect(index.report.recall >= 0.95)
        let found = try index.search(places[shared: 0..<8], limit: 5)
        #expect(Set(found.map(\.score)).count == 1)
        #expect(found.map(\.id) == found.map(\.id).sorted())
    }

    @Test(arguments: kinds)
    func aLimitBeyondTheProbedListsReachesIntoTheOthers(kind: IndexKind) throws {
        let index = try build(kind) { $0.targetRecall = 0.8 }
        let found = try index.search(SharedBuffer(query(0)), limit: .max)
        let expected = plainSearch(query(0), keys: Self.keys, vectors: Self.vectors, limit: .max)
        #expect(Set(found.map(\.id)) == Set(expected.map(\.key)))
        #expect(found.count == Self.count)
    }

    @Test(arguments: kinds)
    func exclusionsDoNotCostRecall(kind: IndexKind) throws {
        let index = try build(kind) { $0.targetRecall = 0.9 }
        var excluded: Set<UInt64> = []
        for row in 0..<8 {
            excluded.formUnion(
                plainSearch(query(row), keys: Self.keys, vectors: Self.vectors, limit: 60).map(\.key))
        }
        #expect(excluded.count > 300)
        #expect(try recall(of: index, depth: 50, excluded: excluded) >= 0.85)
        for row in 0..<8 {
            let found = try index.search(SharedBuffer(query(row)), limit: 100, excluding: Array(excluded))
            #expect(found.count == 100)
            #expect(excluded.isDisjoint(with: found.map(\.id)))
        }
    }

    @Test(arguments: kinds)
    func whatIsLeftIsFoundWhereverItLies(kind: IndexKind) throws {
        let index = try build(kind) { $0.targetRecall = 0.8 }
        let left = Set(Self.keys.prefix(7))
        let found = try index.search(
            SharedBuffer(query(1)), limit: 5, excluding: Self.keys.filter { !left.contains($0) })
        #expect(found.count == 5)
        #expect(left.isSuperset(of: found.map(\.id)))
    }

    @Test(arguments: kinds)
    func aBuildIsRepeatableWhateverTheThreads(kind: IndexKind) throws {
        let (one, two) = (try build(kind) { $0.threads = 1 }, try build(kind) { $0.threads = 2 })
        #expect(one.report == two.report)
        #expect(one.keys == two.keys)
        #expect(try one.search(SharedBuffer(query(0)), limit: 50) == two.search(SharedBuffer(query(0)), limit: 50))
        let other = try build(kind) { $0.seed = 5 }
        #expect(other.keys != one.keys)
    }

    @Test(arguments: kinds)
    func fewerVectorsThanListsStillWork(kind: IndexKind) throws {
        let index = try build(kind) { $0.lists = 10_000 }
        #expect(index.report.lists == Self.count)
        #expect(index.report.recall >= 0.95)
    }
}
