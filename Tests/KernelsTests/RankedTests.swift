import Kernels
import Testing

@Suite struct RankedTests {
    private func values(_ count: Int, distinct: Int, seed: UInt64) -> [(score: Float, position: UInt32)] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map {
            (Float(Int.random(in: -distinct...distinct, using: &random)) / 8, UInt32($0) &* 2_654_435_761)
        }
    }

    @Test(
        arguments: [0, -0.0, 1, -1, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .infinity, -.infinity, 3.25e30]
            as [Float])
    func scoreAndPositionComeBack(score: Float) {
        for position in [0, 1, 77, UInt32.max] {
            let ranked = Ranked(score: score, position: position)
            #expect(ranked.score == score)
            #expect(ranked.position == position)
        }
    }

    @Test(arguments: [0, 1, 2, 19, 20, 21, 22, 100, 1_000], [1, 3, 100_000])
    func sortingGivesWhatTheStandardSortGives(count: Int, distinct: Int) {
        let values = values(count, distinct: distinct, seed: UInt64(count))
        var ranked = values.map { Ranked(score: $0.score, position: $0.position) }
        ranked.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { Ranked.sort(base, count: count) }
        }
        let expected = values.sorted { ($1.score, $0.position) < ($0.score, $1.position) }
        #expect(ranked.map(\.position) == expected.map(\.position))
        #expect(ranked.map(\.score) == expected.map(\.score))
    }

    @Test(arguments: [0, 1, 255, 256, 257, 5_000, 300], [1, 3, 100_000])
    func sortersGiveWhatTheStandardSortGives(count: Int, distinct: Int) {
        var sorter = RankedSorter()
        // What an earlier request left behind does no harm.
        for count in [count, 2_000, count] {
            let values = values(count, distinct: distinct, seed: UInt64(count)).enumerated().map {
                (score: $1.score, position: UInt32($0))
            }
            var ranked = values.map { Ranked(score: $0.score, position: $0.position) }
            sorter.sort(&ranked)
            let expected = values.sorted { ($1.score, $0.position) < ($0.score, $1.position) }
            #expect(ranked.map(\.position) == expected.map(\.position))
            #expect(ranked.map(\.score) == expected.map(\.score))
        }
    }

    @Test(arguments: [1, 2, 30, 1_000], [1, 2, 29, 1_000])
    func selectionPutsTheBestInFront(count: Int, wanted: Int) {
        let k = min(count, wanted)
        for distinct in [1, 5, 100_000] {
            let values = values(count, distinct: distinct, seed: 4)
            var ranked = values.map { Ranked(score: $0.score, position: $0.position) }
            ranked.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { Ranked.selectBest(base, count: count, k) }
            }
            let expected = values.sorted { ($1.score, $0.position) < ($0.score, $1.position) }.prefix(k)
            #expect(Set(ranked.prefix(k).map(\.position)) == Set(expected.map(\.position)))
            #expect(ranked[k - 1].position == expected.last?.position)
        }
    }
}
