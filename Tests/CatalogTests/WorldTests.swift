import Catalog
import Kernels
import Simulation
import Testing

@Suite struct WorldTests {
    private static func configuration(seed: UInt64) -> WorldConfiguration {
        var configuration = WorldConfiguration()
        configuration.users = 400
        configuration.items = 800
        configuration.impressions = 40_000
        configuration.seed = seed
        return configuration
    }

    /// Area under the ROC curve by ranks (Mann and Whitney), ties at their mean rank.
    private func area(_ scores: [Double], _ labels: [Bool]) -> Double {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var rankSum = 0.0
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
            let rank = Double(start + end + 1) / 2
            for place in start..<end where labels[order[place]] { rankSum += rank }
            start = end
        }
        let positives = Double(labels.count { $0 })
        return (rankSum - positives * (positives + 1) / 2) / (positives * (Double(labels.count) - positives))
    }

    @Test func equalSeedsGiveEqualWorlds() throws {
        let first = try World(Self.configuration(seed: 3)).log()
        let second = try World(Self.configuration(seed: 3)).log()
        let other = try World(Self.configuration(seed: 4)).log()
        #expect(first.exposures.items == second.exposures.items)
        #expect(first.exposures.actions == second.exposures.actions)
        #expect(first.exposures.watchSeconds == second.exposures.watchSeconds)
        #expect(first.items.titles.bytes == second.items.titles.bytes)
        #expect(first.exposures.items != other.exposures.items)
    }

    @Test func theLogIsWhatWasAskedFor() throws {
        let configuration = Self.configuration(seed: 5)
        let dataset = try World(configuration).log()
        let exposures = dataset.exposures
        #expect(dataset.users.count == 400)
        #expect(dataset.items.count == 800)
        #expect(exposures.count == 40_000)
        #expect(exposures.hasNegatives)
        #expect(dataset.users.fields.map(\.name) == ["city", "age", "device"])
        let cities = Set((0..<20).map { ItemKey(publicID: dataset.users.fields[0].vocabulary[$0 + 1]).rawValue })
        #expect(dataset.items.cities.allSatisfy(cities.contains))
        #expect((0..<800).allSatisfy { dataset.items.place(of: $0) != nil })
        #expect(dataset.items.qualities.allSatisfy { (0...1).contains($0) })
        #expect(Array(dataset.items.publishTimes) == dataset.items.publishTimes.sorted())
        var pairs: Set<[UInt32]> = []
        for row in 0..<exposures.count {
            let item = Int(exposures.items[row])
            #expect(exposures.times[row] >= dataset.items.publishTimes[item], "shown before it was there")
            #expect(exposures.watchSeconds[row] <= dataset.items.durations[item])
            let actions = Actions(rawValue: exposures.actions[row])
            #expect(actions.contains(.impression))
            #expect(actions.contains(.click) || actions.isDisjoint(with: .positive), "only what was opened is liked")
            pairs.insert([exposures.users[row], exposures.items[row]])
        }
        #expect(pairs.count == exposures.count, "nothing is shown twice to one user")
        // What the policy rejected was there, and few of it is shown later.
        #expect((12_000...20_000).contains(dataset.rejected.count), "4 a page of 10, \(dataset.rejected.count)")
        var later = 0
        for row in 0..<dataset.rejected.count {
            #expect(dataset.rejected.times[row] >= dataset.items.publishTimes[Int(dataset.rejected.items[row])])
            later += pairs.contains([dataset.rejected.users[row], dataset.rejected.items[row]]) ? 1 : 0
        }
        #expect(later < dataset.rejected.count / 3, "\(later) of \(dataset.rejected.count)")
        let rate = Double(exposures.actions.count { Actions(rawValue: $0).contains(.click) }) / 40_000
        #expect((0.08...0.25).contains(rate), "click rate \(rate)")
    }

    /// The truth behind the clicks is calibrated, and a model that knows it clearly beats one that knows rates only:
    /// rates of users and items, taken from the very rows they are scored on, are better than any fitted ones.
    @Test func theTruthBeatsRates() throws {
        let world = World(Self.configuration(seed: 6))
        let dataset = try world.log()
        let exposures = dataset.exposures
        var users = [(clicks: Double, count: Double)](repeating: (1, 8), count: dataset.users.count)
        var items = [(clicks: Double, count: Double)](repeating: (1, 8), count: dataset.items.count)
        var labels: [Bool] = []
        for row in 0..<exposures.count {
            let isClicked = Actions(rawValue: exposures.actions[row]).contains(.click)
            labels.append(isClicked)
            users[Int(exposures.users[row])].clicks += isClicked ? 1 : 0
            users[Int(exposures.users[row])].count += 1
            items[Int(exposures.items[row])].clicks += isClicked ? 1 : 0
            items[Int(exposures.items[row])].count += 1
        }
        var rates: [Double] = []
        var truth: [Double] = []
        for row in 0..<exposures.count {
            let user = Int(exposures.users[row])
            let item = Int(exposures.items[row])
            rates.append(users[user].clicks / users[user].count * (items[item].clicks / items[item].count))
            truth.append(world.clickProbability(user: user, item: item, timeMilliseconds: exposures.times[row]))
        }
        let expected = truth.reduce(0, +)
        let clicked = Double(labels.count { $0 })
        // The truth at the first place of a page exceeds what was clicked at all ten of them.
        #expect(clicked < expected && clicked > 0.5 * expected)
        let gap = area(truth, labels) - area(rates, labels)
        #expect(gap > 0.03, "AUC of the truth \(area(truth, labels)), of rates \(area(rates, labels))")
    }

    @Test func usersClickMoreOnWhatSuitsThem() {
        let world = World(Self.configuration(seed: 7))
        let time = world.configuration.startMilliseconds
        for user in 0..<50 {
            let matches = (0..<400).map { world.match(user: user, item: $0) }
            #expect(matches.allSatisfy { abs($0) <= 1.000001 })
            #expect(matches.contains { $0 > 0.2 } && matches.contains { $0 < 0 })
            let first = world.clickProbability(user: user, item: 1, position: 1, timeMilliseconds: time)
            let last = world.clickProbability(user: user, item: 1, position: 10, timeMilliseconds: time)
            #expect(0 < last && last < first && first < 1)
        }
    }

    @Test func impossibleWorldsAreRefused() {
        let changes: [(inout WorldConfiguration) -> Void] = [
            { $0.users = 0 }, { $0.items = 99 }, { $0.impressions = 0 }, { $0.days = 0 }, { $0.days = 366 },
            { $0.users = 1 }, { $0.impressions = 1 << 40 },
        ]
        for change in changes {
            var configuration = WorldConfiguration()
            change(&configuration)
            #expect(throws: CatalogError.self) { try configuration.validate() }
        }
    }
}
