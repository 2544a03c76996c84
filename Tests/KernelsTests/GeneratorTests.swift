import Kernels
import Testing

@Suite struct GeneratorTests {
    /// Values of the authors' C program (prng.di.unimi.it) for state 1, 2, 3, 4.
    @Test func xoshiroFollowsTheReference() {
        var generator = SeededGenerator(state: (1, 2, 3, 4))
        let values = (0..<6).map { _ in generator.next() }
        #expect(
            values == [
                11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360, 607_988_272_756_665_600,
            ])
    }

    /// Values of the authors' C program for seed 1234567.
    @Test func splitMixFollowsTheReference() {
        var generator = SplitMix64(seed: 1_234_567)
        let values = (0..<5).map { _ in generator.next() }
        #expect(
            values == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func seedsAndStreamsGiveSequencesOfTheirOwn() {
        var first = SeededGenerator(seed: 1)
        var again = SeededGenerator(seed: 1)
        var second = SeededGenerator(seed: 2)
        var stream = SeededGenerator(seed: 1, stream: 1)
        let values = (0..<8).map { _ in first.next() }
        #expect(values == (0..<8).map { _ in again.next() })
        #expect(values != (0..<8).map { _ in second.next() })
        #expect(values != (0..<8).map { _ in stream.next() })
    }

    @Test func momentsAreThoseOfTheDistributions() {
        var generator = SeededGenerator(seed: 5)
        let count = 200_000
        var uniform = 0.0
        var mean = 0.0
        var square = 0.0
        for _ in 0..<count {
            let u = generator.uniform()
            #expect(u >= 0 && u < 1)
            uniform += Double(u)
            let z = generator.normal()
            mean += z
            square += z * z
        }
        // Five standard errors: sqrt(1/12/n) = 6.5e-4, sqrt(1/n) = 2.2e-3, sqrt(2/n) = 3.2e-3.
        #expect(abs(uniform / Double(count) - 0.5) < 3.3e-3)
        #expect(abs(mean / Double(count)) < 1.1e-2)
        #expect(abs(square / Double(count) - 1) < 1.6e-2)
    }
}

@Suite struct ThreadsTests {
    @Test(arguments: [0, 1, 2, 7, 100], [1, 2, 3, 8])
    func rangesCoverEverythingOnce(_ total: Int, _ threads: Int) {
        for grain in [1, 3, 1000] {
            var visits = [Int32](repeating: 0, count: total)
            visits.withUnsafeMutableBufferPointer { visits in
                // Each range writes only its own elements.
                nonisolated(unsafe) let visits = visits
                Threads(threads).divide(total, grain: grain) { range in
                    for index in range { visits[index] += 1 }
                }
            }
            #expect(visits.allSatisfy { $0 == 1 })
        }
    }
}
