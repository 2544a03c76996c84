import Catalog
import Features
import Kernels
import Models
import Testing
import Training

/// A ranker learns from the scene what nothing else tells.
struct SceneTrainingTests {
    /// A log of 12,000 showings in which a click depends on nothing but device and category: on phones even categories are
    /// clicked, on televisions odd ones, seven times of ten; the others once in ten. Everybody has both devices.
    private func log() -> Dataset {
        let (users, items, rows) = (200, 60, 12_000)
        var random = SeededGenerator(seed: 5, stream: 1)
        func draw(_ count: Int) -> [UInt32] {
            (0..<rows).map { _ in UInt32.random(in: 0..<UInt32(count), using: &random) }
        }
        let (userRows, itemRows, devices) = (draw(users), draw(items), draw(2).map { $0 + 1 })
        let actions = (0..<rows).map { row -> UInt16 in
            let matches = itemRows[row] % 2 == devices[row] % 2
            let isClick = Float.random(in: 0..<1, using: &random) < (matches ? 0.7 : 0.1)
            return (isClick ? [.impression, .click] : Actions.impression).rawValue
        }
        return Dataset(
            name: "devices",
            users: UserTable(
                keys: SharedBuffer((1...users).map { UserKey(rawValue: UInt64($0)) }),
                publicIDs: StringTable((1...users).map(String.init)), fields: []),
            items: ItemTable(
                keys: SharedBuffer((1...items).map { ItemKey(rawValue: UInt64($0)) }),
                publicIDs: StringTable((1...items).map(String.init)), titles: StringTable((1...items).map(String.init)),
                categories: SharedBuffer((0..<items).map { UInt32($0 % 4) + 1 }),
                categoryNames: StringTable(["", "a", "b", "c", "d"]),
                authors: SharedBuffer(repeatElement(0, count: items)),
                publishTimes: SharedBuffer(repeatElement(0, count: items)),
                durations: SharedBuffer(repeatElement(0, count: items))),
            exposures: ExposureTable(
                users: SharedBuffer(userRows), items: SharedBuffer(itemRows),
                times: SharedBuffer((0..<rows).map { 1_700_000_000_000 + Int64($0) * 60_000 }),
                actions: SharedBuffer(actions), watchSeconds: SharedBuffer(repeatElement(0, count: rows)),
                surfaces: SharedBuffer(repeatElement(0, count: rows)), surfaceNames: StringTable([""]),
                contexts: [
                    CategoricalField(
                        name: "device", vocabulary: StringTable(["", "phone", "tv"]), values: SharedBuffer(devices))
                ], hasNegatives: true))
    }

    private func area(_ dataset: Dataset, _ change: (inout RankingSpecification) -> Void = { _ in }) throws -> Double {
        var options = TrainingOptions()
        // Few rows: small batches and larger steps, so that there are enough of them.
        options.specification.ranker.training.batch = 64
        options.specification.ranker.training.learningRate = 2e-3
        options.specification.ranker.training.tableLearningRate = 0.05
        change(&options.specification.ranker)
        let trial = try RankingTrial(dataset, fraction: 0.2, options: options, progress: .silent)
        let heads = try trial.run([.ranker]).models[0].frozen.heads
        return try #require(heads.first { $0.head == "click" }?.areaUnderCurve)
    }

    /// Who knows the probabilities themselves has an AUC of 0.8125: of clicks 7 in 8 are among the matching showings, of the
    /// others 3 in 12, and ties count half.
    @Test func theContextIsLearned() throws {
        let dataset = log()
        let with = try area(dataset)
        let without = try area(dataset) { ranker in
            ranker.features.features.removeAll { $0.source.hasPrefix("scene.context.") }
        }
        #expect(with > 0.75 && with < 0.84, "\(with)")
        #expect(without < 0.6 && without > 0.4, "\(without)")
        // A log that does not tell the device is like one of which it is not read.
        var untold = dataset
        untold.exposures.contexts = []
        #expect(try area(untold) == without)
    }
}
