import Kernels
import Testing

@Suite struct TopKTests {
    /// The definition: sort everything, take k.
    static func plain(_ k: Int, _ candidates: [Scored]) -> [Scored] {
        Array(candidates.filter { $0.score > -.infinity }.sorted(by: Scored.precedes).prefix(k))
    }

    static func candidates(_ n: Int, distinct: Int, seed: UInt64) -> [Scored] {
        var generator = SeededGenerator(seed: seed)
        return (0..<n).map { Scored(score: Float(Int.random(in: 0..<distinct, using: &generator)), id: UInt64($0)) }
    }

    @Test(arguments: [0, 1, 2, 7, 8, 9, 33, 100, 1000], [0, 1, 2, 7, 31, 100, 500, 5000])
    func streamsGiveWhatSortingGives(_ n: Int, _ k: Int) {
        for distinct in [1, 5, 1_000_000] {
            let candidates = TopKTests.candidates(n, distinct: distinct, seed: UInt64(n + k))
            let expected = TopKTests.plain(k, candidates)
            var top = TopK(k)
            top.offer(scores: candidates.map(\.score), firstID: 0)
            #expect(top.take() == expected)
            // The order of the stream changes nothing; the same value serves again.
            var generator = SeededGenerator(seed: 3)
            for candidate in candidates.shuffled(using: &generator) { top.offer(candidate) }
            #expect(top.take() == expected)
            for candidate in candidates.sorted(by: { $0.score < $1.score }) { top.offer(candidate) }
            #expect(top.take() == expected)
            #expect(top.take().isEmpty)
        }
    }

    @Test func idsOfABlockComeFromTheirOwnArray() {
        let ids: [UInt64] = [900, 5, 70, 6]
        var top = TopK(2)
        [Float(1), 3, 2, 3].withUnsafeBufferPointer { scores in
            ids.withUnsafeBufferPointer { top.offer(scores: scores, ids: $0) }
        }
        #expect(top.take() == [Scored(score: 3, id: 5), Scored(score: 3, id: 6)])
    }

    @Test func missingScoresAreNeverKept() {
        var top = TopK(5)
        top.offer(scores: [.nan, 1, -.infinity, 2, .nan], firstID: 10)
        top.offer(score: .nan, id: 1)
        top.offer(score: -.infinity, id: 2)
        #expect(top.take() == [Scored(score: 2, id: 13), Scored(score: 1, id: 11)])
    }

    @Test func thresholdRisesToTheKthScore() {
        var top = TopK(2)
        for score in 1...4 { top.offer(score: Float(score), id: UInt64(score)) }
        #expect(top.threshold == 3)
    }

    @Test(arguments: [0, 1, 100, 4095, 4096, 20_000, 100_003], [0, 1, 7, 100, 2000, 30_000])
    func selectionFromAnArrayGivesWhatSortingGives(_ n: Int, _ k: Int) {
        var generator = SeededGenerator(seed: UInt64(n + k))
        let normal = (0..<n).map { _ in Float(generator.normal()) }
        let ascending = normal.sorted()
        // Every sampled position is low: the threshold of the sample lets nearly everything pass.
        let combed = (0..<n).map { $0 % max(1, n / 2048) == 0 ? Float(-1) : Float($0) }
        // Every sampled position is high: too few pass, and the selection starts over.
        let deceiving = (0..<n).map { $0 % max(1, n / 2048) == 0 ? Float(1e6) : -Float($0) }
        for scores in [normal, ascending, combed, deceiving, [Float](repeating: 1, count: n)] {
            let all = scores.enumerated().map { Scored(score: $1, id: UInt64($0)) }
            let found = scores.withUnsafeBufferPointer { TopK.select(k, of: $0) }
            #expect(found == TopKTests.plain(k, all))
        }
    }
}

extension TopK {
    fileprivate mutating func offer(scores: [Float], firstID: UInt64) {
        scores.withUnsafeBufferPointer { offer(scores: $0, firstID: firstID) }
    }
}
