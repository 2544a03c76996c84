import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Ranking
import Snapshots
import Testing
import Training

/// A shop from its log to the order of a page.
struct ShopTests {
    private static let (users, items) = (200, 80)

    private static func isDear(_ item: Int) -> Bool { item % 2 == 1 }
    private static func isThrifty(_ user: Int) -> Bool { user % 2 == 0 }
    /// Of an item, and of a user the one he likes.
    private static func category(_ number: Int) -> Int { number / 2 % 4 }

    /// How likely a click becomes a purchase.
    private static func purchase(user: Int, item: Int) -> Double {
        switch (isThrifty(user), isDear(item)) {
        case (true, false): 0.6
        case (true, true): 0.02
        case (false, false): 0.05
        case (false, true): 0.5
        }
    }

    /// 24,000 showings, half a minute apart; a user clicks 8 of 10 in the category that he likes, and 3 of 10 others.
    private static func write(to directory: String) throws {
        var random = SeededGenerator(seed: 5)
        var events = "user_id,item_id,time,event\n"
        for row in 0..<24_000 {
            let (user, item) = (Int.random(in: 0..<users, using: &random), Int.random(in: 0..<items, using: &random))
            let time = 1_767_600_000 + row * 30
            func log(_ event: String, after seconds: Int) { events += "u\(user),i\(item),\(time + seconds),\(event)\n" }
            log("impression", after: 0)
            let click = category(user) == category(item) ? 0.8 : 0.3
            guard Double.random(in: 0..<1, using: &random) < click else { continue }
            log("click", after: 5)
            let buys = Double.random(in: 0..<1, using: &random) < purchase(user: user, item: item)
            if buys || Double.random(in: 0..<1, using: &random) < purchase(user: user, item: item) {
                log("cart", after: 20)
            }
            if buys { log("purchase", after: 90) }
        }
        try events.write(toFile: "\(directory)/events.csv", atomically: true, encoding: .utf8)
        let rows = (0..<items).map { "i\($0),c\(category($0)),\(isDear($0) ? 200 + $0 : 5)\n" }
        try ("item_id,category,price\n" + rows.joined()).write(
            toFile: "\(directory)/items.csv", atomically: true, encoding: .utf8)
        let people = (0..<users).map { "u\($0),\(isThrifty($0) ? "low" : "high"),c\(category($0))\n" }
        try ("user_id,budget,likes\n" + people.joined()).write(
            toFile: "\(directory)/users.csv", atomically: true, encoding: .utf8)
    }

    @Test func purchasesAreLearnedAndOrderThePage() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "shop-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Self.write(to: directory)
        let dataset = try LogSource("csv:\(directory)").read().dataset
        var options = TrainingOptions()
        (options.twoTowerEpochs, options.preRankerEpochs, options.dimension, options.shards) = (1, 1, 8, 1)
        // The log is small: more steps, and larger ones.
        options.specification.ranker.training.batch = 128
        options.specification.ranker.training.learningRate = 3e-3
        options.specification.ranker.training.tableLearningRate = 0.05
        let store = try SnapshotStore(directory: "\(directory)/store")
        let (manifest, report) = try TrainingPipeline(dataset, options: options, progress: .silent).run(into: store)
        #expect(
            report.rankerMaking?.headsLeftOut
                == ["finish", "watch_time", "like", "collect", "share", "comment", "follow", "hide"])
        let figures = try #require(report.ranker)
        let purchase = try #require(figures.frozen[0].heads.first { $0.head == "purchase" })
        let rated = try #require(figures.frozen.last?.heads.first { $0.head == "purchase" })
        // The four rates above, alike frequent, order clicks with an AUC of 2.75055 / (1.17 * 2.83) = .831. One of an item and a user
        // says little: both budgets buy about as much, and so are both kinds of items bought.
        #expect(try #require(purchase.areaUnderCurve) > 0.75, "\(purchase)")
        #expect(try #require(purchase.areaAmongAll) > #require(rated.areaAmongAll) + 0.1, "\(rated)")
        #expect(try #require(figures.frozen[0].heads.first { $0.head == "cart" }?.areaUnderCurve) > 0.7)
        #expect(figures.features.first { $0.feature == "price" }?.coverage == 1)
        try checkOrder(dataset) { try StoredComponents(manifest, in: store).open($0) }
    }

    /// Every score is the formula's by hand, and each budget's page begins with what it buys.
    private func checkOrder(_ dataset: Dataset, _ open: (String) throws -> SafetensorsFile) throws {
        let (columns, index) = (ItemFeatureColumns(dataset.items), KeyIndex(dataset.items.keys))
        var (encoder, statistics) = try RankerFeatures.encoder(open("ranker"), columns: columns, itemIndex: index)
        try statistics.restore(open(RankingStatistics.componentKind))
        let until = dataset.exposures.times.last ?? 0
        let stage = try RankingModel(
            RankingModel.Components(
                ranker: open("ranker"), calibration: open("ranker-calibration"), golden: open("ranker-golden")),
            encoder: encoder,
            statistics: LiveStatistics(
                statistics, version: "v", clock: LogClock(dataUntil: until), itemIndex: index))
        let formula = FusionSpecification(
            .commerce,
            [
                FusionTerm(head: "click", power: 0.5), FusionTerm(head: "cart", power: 0.25),
                FusionTerm(head: "purchase"), FusionTerm(attribute: .price, power: 0.125),
            ])
        let ranker = try Ranker(PreRanker(open("prerank"), items: dataset.items), stage: stage, fusion: formula)
        let fresh = LiveItem(publicID: "fresh", category: "c1", publishMilliseconds: until, price: 1_000)
        for user in [0, 1, 2, 3] {
            let row = try #require(KeyIndex(dataset.users.keys).row(of: UserKey(publicID: "u\(user)")))
            let state = UserState(
                user: dataset.users.keys[row], isKnown: true, profile: dataset.users.fields.map { $0.values[row] })
            var query = RankingQuery(
                state, Scene(timeMilliseconds: until + 60_000),
                items: SharedBuffer(Array(dataset.items.keys) + [fresh.key]))
            (query.live, query.cut) = ([fresh], PreRankCut(keep: 0))
            let ranked = ranker.rank(query).items
            #expect(ranked.items.count == Self.items + 1 && ranked.heads == ["click", "cart", "purchase"])
            let heads = ranked.heads.compactMap(ranked.predictions(of:))
            for (place, item) in ranked.items.enumerated() {
                let price = index.row(of: item).map { dataset.items.prices[$0] } ?? 1_000
                let score =
                    pow(heads[0][place], 0.5) * pow(heads[1][place], 0.25) * heads[2][place] * pow(price, 0.125)
                #expect(abs(ranked.scores[place] - score) < 1e-5)
            }
            let first = ranked.items.filter { $0 != fresh.key }.prefix(20)
            let dear = first.count { index.row(of: $0).map { dataset.items.prices[$0] > 100 } ?? false }
            #expect(dear == (Self.isThrifty(user) ? 0 : 20), "user \(user): \(dear) of 20 are dear")
        }
    }
}
