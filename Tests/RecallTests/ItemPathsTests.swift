import Foundation
import Kernels
import Models
import Recall
import Testing

/// The path step of Deep Retrieval's training, and what it is told.
@Suite struct ItemPathsTests {
    private static let space = PathSpace(nodes: 3, depth: 2)

    private func scores(_ values: [[UInt32: Float]], slots: Int = 9) -> PathScores {
        var scores = PathScores(items: values.count, slots: slots)
        for (item, paths) in values.enumerated() {
            let sorted = paths.sorted { $0.key < $1.key }
            scores.add(
                item: item, paths: sorted.map(\.key)[...], logProbabilities: sorted.map { logarithm($0.value) }[...])
        }
        return scores
    }

    private func contents(_ scores: PathScores, _ item: Int = 0) -> [UInt32: Float] {
        var found: [UInt32: Float] = [:]
        scores.forEach(of: item) { found[$0] = $1 }
        return found
    }

    @Test func scoresAddUpOverUsers() {
        var scores = PathScores(items: 2, slots: 4)
        scores.add(item: 1, paths: [5, 2], logProbabilities: [logarithm(0.5), logarithm(0.25)])
        scores.add(item: 1, paths: [2, 7], logProbabilities: [logarithm(0.5), -.infinity])
        let found = contents(scores, 1)
        #expect(found.keys.sorted() == [2, 5])
        #expect(abs((found[2] ?? 0) - 0.75) < 1e-6 && abs((found[5] ?? 0) - 0.5) < 1e-6)
        #expect(scores.count(of: 0) == 0 && scores.count(of: 1) == 2)
        scores.scale(by: 0.5)
        #expect(abs((contents(scores, 1)[2] ?? 0) - 0.375) < 1e-6)
    }

    /// By hand: with two slots in use, a new path takes the lower one's place and goes on from its score.
    @Test func aFullItemForgetsItsLowestPath() {
        var scores = PathScores(items: 1, slots: 2)
        scores.add(item: 0, paths: [1, 2], logProbabilities: [logarithm(0.5), logarithm(0.125)])
        scores.add(item: 0, paths: [3], logProbabilities: [logarithm(0.25)])
        let found = contents(scores)
        #expect(found.keys.sorted() == [1, 3])
        #expect(abs((found[3] ?? 0) - 0.375) < 1e-6)
    }

    /// Against all counts: never below the true score, above it by at most the lowest that is kept.
    @Test func aBoundedStreamIsNeverTooLow() {
        var random = SeededGenerator(seed: 4)
        var scores = PathScores(items: 1, slots: 12)
        var exact: [UInt32: Float] = [:]
        for _ in 0..<500 {
            let paths = Array(Set((0..<4).map { _ in UInt32(random.uniform() * random.uniform() * 40) }).sorted())
            let probabilities = paths.map { _ in random.uniform() + 0.01 }
            scores.add(item: 0, paths: paths[...], logProbabilities: probabilities.map { logarithm($0) }[...])
            for (path, probability) in zip(paths, probabilities) { exact[path, default: 0] += probability }
        }
        let found = contents(scores)
        let lowest = found.values.min() ?? 0
        #expect(found.count == 12 && exact.count > 20)
        for (path, score) in found {
            let expected = exact[path] ?? 0
            #expect(score >= expected * 0.999 && score <= expected + lowest * 1.001)
        }
        // What was left out cannot have more than the lowest that was kept.
        for (path, score) in exact where found[path] == nil { #expect(score <= lowest * 1.001) }
    }

    /// The argmin over all pairs of paths, one after the other, written out plainly.
    @Test(arguments: [0, 1e-3, 0.1, 10]) func itemsChooseByScoreAndLoad(alpha: Double) {
        var random = SeededGenerator(seed: 9)
        var values = [[UInt32: Float]](repeating: [:], count: 20)
        for item in 0..<20 {
            for path in UInt32(0)..<9 { values[item][path] = random.uniform() + 0.01 }
        }
        let scores = scores(values)
        var paths = ItemPaths(Self.space, width: 2, items: 20)
        for item in 0..<20 { paths.draw(item, &random) }
        var plain = (0..<20).map { Array(paths.paths(of: $0)) }
        let order = Array(0..<20).shuffled(using: &random)
        paths.improve(order, by: scores, alpha: alpha, passes: 3)
        for _ in 0..<3 {
            for item in order {
                plain[item] = []
                for _ in 0..<2 {
                    var best: (cost: Double, path: UInt32) = (.infinity, 0)
                    for path in UInt32(0)..<9 where !plain[item].contains(path) {
                        let held = Double(plain.joined().count { $0 == path })
                        var sum = Double(values[item][path] ?? 0)
                        for other in plain[item] { sum += Double(values[item][other] ?? 0) }
                        let cost = alpha * held * held * held * held - log(sum)
                        if cost < best.cost { best = (cost, path) }
                    }
                    plain[item].append(best.path)
                }
            }
        }
        #expect((0..<20).map { Array(paths.paths(of: $0)) } == plain)
        #expect((0..<9).map { path in plain.joined().count { $0 == path } } == paths.sizes.map { Int($0) })
        if alpha == 0 { #expect(plain[3].first == values[3].max { $0.value < $1.value }?.key) }
        // 40 places on 9 paths: a heavy penalty leaves none with more than 5.
        if alpha == 10 { #expect(paths.sizes.allSatisfy { (4...5).contains($0) }) }
    }

    @Test func itemsWithTooFewScoresKeepTheirPaths() {
        var random = SeededGenerator(seed: 1)
        var paths = ItemPaths(Self.space, width: 2, items: 3)
        paths.draw(0, &random)
        let drawn = Array(paths.paths(of: 0))
        paths.improve([0, 1], by: scores([[4: 0.5], [:], [:]]), alpha: 0, passes: 2)
        #expect(Array(paths.paths(of: 0)) == drawn && Set(drawn).count == 2)
        #expect(paths.hasPaths == [true, false, false])
        paths.improve([0], by: scores([[4: 0.5, 6: 0.25], [:], [:]]), alpha: 0, passes: 1)
        #expect(Array(paths.paths(of: 0)) == [4, 6])
        #expect(paths.sizes.map { Int($0) } == [0, 0, 0, 0, 1, 0, 1, 0, 0])
    }

    /// By hand: 4 of 9 paths hold 1, 1, 2 and 4 items.
    @Test func balanceIsMeasured() throws {
        var paths = ItemPaths(Self.space, width: 1, items: 9)
        for (item, path) in [UInt32(0), 1, 2, 2, 3, 3, 3, 3].enumerated() { paths.set(item, [path]) }
        let balance = paths.balance
        #expect(balance["paths"] == 9 && balance["items_with_paths"] == 8)
        #expect(balance["used_share"] == 4.0 / 9 && balance["items_per_used_path"] == 2)
        #expect(balance["items_of_the_largest_path"] == 4)
        // 1.75 bits of log2(9); 2 (6 + 7 + 2 8 + 4 9) / 8 - 10, over 9.
        let entropy = try #require(balance["entropy"])
        let gini = try #require(balance["gini"])
        #expect(abs(entropy - 1.75 / 3.169925) < 1e-6)
        #expect(abs(gini - (2 * 65.0 / 8 - 10) / 9) < 1e-9)
        var even = ItemPaths(Self.space, width: 1, items: 9)
        for item in 0..<9 { even.set(item, [UInt32(item)]) }
        #expect(abs((even.balance["entropy"] ?? 0) - 1) < 1e-9 && abs(even.balance["gini"] ?? 1) < 1e-9)
    }
}
