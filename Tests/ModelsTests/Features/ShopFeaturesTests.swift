import Catalog
import Features
import Foundation
import Kernels
import Networks
import Testing

/// What a shop's data set has that others lack: prices, carts and purchases.
struct ShopFeaturesTests {
    /// Item i costs 10 i, the first one's price is not known. Of the clicks every third went on to the cart, every sixth on to a
    /// purchase.
    private static func shop() -> Dataset {
        var dataset = SmallWorld.dataset()
        dataset.items.prices = SharedBuffer(dataset.items.keys.indices.map { $0 == 0 ? .nan : Float($0) * 10 })
        var columns = SmallWorld.Columns(dataset.exposures)
        var clicks = 0
        for row in columns.actions.indices where Actions(rawValue: columns.actions[row]).contains(.click) {
            if clicks % 3 == 0 { columns.actions[row] |= Actions.cart.rawValue }
            if clicks % 6 == 0 { columns.actions[row] |= Actions.purchase.rawValue }
            clicks += 1
        }
        dataset.exposures = columns.table
        return dataset
    }

    private func fitted(_ schema: FeatureSchema, _ dataset: Dataset) throws -> FittedFeatures {
        try FittedFeatures(
            fitting: schema, to: dataset, rows: 0..<dataset.exposures.count, base: SmallWorld.base(dataset))
    }

    /// Numbers counted the slow way from the log, standardised by the fitted mean and deviation.
    @Test func numbersAreWhatTheEarlierRowsAddUpTo() throws {
        let dataset = Self.shop()
        let names = ["price", "rate", "bought", "mine_here"]
        let fitted = try fitted(
            FeatureSchema(
                features: [
                    FeatureDefinition("price", "item.price"), FeatureDefinition("rate", "item.cart_rate"),
                    FeatureDefinition("bought", "item.purchases"),
                    FeatureDefinition("mine_here", "user.purchases", split: "category"),
                    FeatureDefinition("bucket", "item.price", transform: .bucketise, boundaries: [50, 100]),
                ], histories: [HistoryDefinition("purchases", actions: ["carts", "purchases"], columns: [.item])]),
            dataset)
        let base = SmallWorld.base(dataset)
        let statistics = fitted.makeStatistics(columns: base.columns)
        let encoder = RankingEncoder(
            fitted, columns: base.columns, itemIndex: base.itemIndex, userIndex: base.userIndex,
            statistics: statistics)
        var replay = Replay(dataset: dataset, encoder: base, ranking: statistics)
        let log = dataset.exposures
        let inputs = replay.rankingExamples(0..<log.count, encoder: encoder).inputs(of: 0..<log.count)
        guard case .categorical(let buckets) = inputs.fields[0], case .numbers(let numbers) = inputs.fields[1] else {
            Issue.record("buckets and numbers")
            return
        }
        let prior = try #require(fitted.rates["item.cart_rate"])
        var bought = 0
        for row in stride(from: 3, to: log.count, by: 29) {
            let past = (0..<log.count).filter { log.times[$0] < log.times[row] }
            func did(_ action: Actions, _ other: Int) -> Bool { Actions(rawValue: log.actions[other]).contains(action) }
            func check(_ name: String, _ value: Double?) throws {
                let fit = try #require(fitted.numbers[name])
                let expected = value.map { ($0 - Double(fit.mean)) / Double(fit.deviation) } ?? 0
                let found = Double(numbers[row * names.count + (names.firstIndex(of: name) ?? 0)])
                #expect(abs(found - expected) < 1e-3, "\(name) of row \(row): \(found), expected \(expected)")
            }
            let item = Int(log.items[row])
            try check("price", item == 0 ? nil : log1p(Double(item) * 10))
            #expect(buckets[row] == (item == 0 ? 0 : item < 5 ? 1 : item < 10 ? 2 : 3))
            let shown = past.filter { log.items[$0] == log.items[row] }
            let (clicks, carts) = (Double(shown.count { did(.click, $0) }), Double(shown.count { did(.cart, $0) }))
            if clicks > 0 {
                let base = Foundation.log(prior.a / prior.b)
                try check("rate", Foundation.log((carts + prior.a) / (clicks - carts + prior.b)) - base)
            }
            try check("bought", log1p(Double(shown.count { did(.purchase, $0) })))
            let category = dataset.items.categories[item]
            let mine = past.filter { log.users[$0] == log.users[row] }
            let here = mine.filter { did(.purchase, $0) && dataset.items.categories[Int(log.items[$0])] == category }
            if !zip(mine, mine.dropFirst()).contains(where: { log.items[$0] == log.items[$1] }) {
                try check("mine_here", log1p(Double(here.count)))
                bought += here.count
            }
            let history = inputs.histories[0]
            let own = mine.filter { did(.cart, $0) || did(.purchase, $0) }.suffix(50).reversed()
            if !zip(mine, mine.dropFirst()).contains(where: { log.items[$0] == log.items[$1] }) {
                #expect(
                    Array(history.columns[0][history.offsets[row]..<history.offsets[row + 1]])
                        == own.map { log.items[$0] + 1 })
            }
        }
        #expect(bought > 0, "some rows were compared")
    }

    /// The standard schema reads what a shop has, and of other data sets what it read before.
    @Test func whatIsOptionalIsReadWhereItIs() throws {
        let added = [
            "price_bucket", "price", "item_cart_rate", "item_purchase_rate", "item_purchases_7d",
            "author_purchase_rate", "category_purchase_rate", "user_carts_7d", "user_purchases_30d",
            "user_category_carts", "user_category_purchases",
        ]
        let shop = try fitted(.standard, Self.shop()).schema.features.map(\.name)
        #expect(added.allSatisfy(shop.contains))
        #expect(
            try fitted(.standard, SmallWorld.dataset()).schema.features.map(\.name)
                == shop.filter { !added.contains($0) })
        // Of a log with carts and no purchases, and of prices that nobody told.
        var carts = Self.shop()
        carts.items.prices = SharedBuffer(carts.items.prices.map { _ in .nan })
        carts.exposures.actions = SharedBuffer(carts.exposures.actions.map { $0 & ~Actions.purchase.rawValue })
        let names = try fitted(.standard, carts).schema.features.map(\.name)
        #expect(added.filter(names.contains) == ["item_cart_rate", "user_carts_7d", "user_category_carts"])
    }

    /// What is not optional is there, and unknown or 0 throughout.
    @Test func whatIsNotOptionalStays() throws {
        let schema = FeatureSchema(features: [
            FeatureDefinition("price", "item.price"), FeatureDefinition("bought", "item.purchases"),
            FeatureDefinition("quality", "item.quality", optional: true),
            FeatureDefinition("tags", "item.tags", optional: true),
            FeatureDefinition("author", "item.author", optional: true),
            FeatureDefinition("watched", "user.watch_seconds", optional: true),
            FeatureDefinition("finished", "user.finishes", optional: true),
        ])
        let fitted = try fitted(schema, SmallWorld.dataset())
        #expect(fitted.schema.features.map(\.name) == ["price", "bought", "author", "watched"])
        #expect(fitted.coverage["price"]?.coverage == 0 && fitted.coverage["bought"]?.coverage == 1)
    }
}
