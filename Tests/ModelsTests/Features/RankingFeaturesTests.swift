import Catalog
import Features
import Foundation
import Kernels
import Networks
import Testing

struct RankingFeaturesTests {
    private let schema = FeatureSchema(
        features: [
            FeatureDefinition("user", "user.id"), FeatureDefinition("profile", "user.profile.*"),
            FeatureDefinition("item", "item.id"), FeatureDefinition("category", "item.category"),
            FeatureDefinition("hashed", "item.author", transform: .hash, buckets: 8),
            FeatureDefinition("both", "cross.hash", buckets: 64, of: ["profile.group", "category"]),
            FeatureDefinition("tags", "item.tags"),
            FeatureDefinition("length", "item.duration", transform: .bucketise, boundaries: [10, 50]),
            FeatureDefinition("clicks_1h", "item.clicks", window: .hour),
            FeatureDefinition("rate", "item.click_rate"),
            FeatureDefinition("rate_by_group", "item.click_rate", split: "group"),
            FeatureDefinition("author_rate", "author.click_rate", window: .day),
            FeatureDefinition("surface_rate", "surface.click_rate"),
            FeatureDefinition("mine", "user.clicks", window: .hour),
            FeatureDefinition("mine_here", "user.clicks", window: .day, split: "category"),
            FeatureDefinition("activity", "user.impressions"), FeatureDefinition("seen", "cross.seen"),
            FeatureDefinition("hour", "scene.hour"), FeatureDefinition("weekday", "scene.weekday"),
            FeatureDefinition("holiday", "scene.holiday"), FeatureDefinition("context", "scene.context.*"),
            FeatureDefinition("here", "scene.context.geohash", transform: .hash, buckets: 8),
        ], histories: [HistoryDefinition("clicks", columns: [.item, .category], length: 5, ages: true)],
        // The log lies about a midnight of Cape Verde's, an hour behind UTC, after which is a holiday.
        timeZone: "Atlantic/Cape_Verde", holidays: ["2023-11-15"])

    /// "both" combines the profile field, which the wildcard names `profile.group`.
    private func resolved() -> FeatureSchema {
        var schema = schema
        schema.features[1] = FeatureDefinition("profile.group", "user.profile.group")
        return schema
    }

    private func fitted(_ dataset: Dataset) throws -> FittedFeatures {
        try FittedFeatures(
            fitting: resolved(), to: dataset, rows: 0..<dataset.exposures.count, base: SmallWorld.base(dataset))
    }

    private struct Made {
        var examples: RankingExamples
        var replay: Replay
        var encoder: RankingEncoder
    }

    private func made(_ dataset: Dataset, _ fitted: FittedFeatures) -> Made {
        let base = SmallWorld.base(dataset)
        let statistics = fitted.makeStatistics(columns: base.columns)
        let encoder = RankingEncoder(
            fitted, columns: base.columns, itemIndex: base.itemIndex, userIndex: base.userIndex,
            statistics: statistics)
        var replay = Replay(dataset: dataset, encoder: base, ranking: statistics)
        let examples = replay.rankingExamples(0..<dataset.exposures.count, encoder: encoder)
        return Made(examples: examples, replay: replay, encoder: encoder)
    }

    private func flat(_ inputs: RankerInputs) -> [Float] {
        var all: [Float] = []
        for field in inputs.fields {
            switch field {
            case .categorical(let rows): all += rows.map { Float($0) }
            case .multivalued(let lists): all += lists.rows.map { Float($0) } + lists.offsets.map { Float($0) }
            case .numbers(let numbers): all += numbers
            }
        }
        for history in inputs.histories {
            for column in history.columns + [history.ages] { all += column.map { Float($0) } }
            all += history.offsets.map { Float($0) }
        }
        return all
    }

    /// Changes everything from one row on; no feature of a row at or before that time may move.
    @Test(arguments: [0, 1, 100, 333, 598])
    func noFeatureSeesAnEventAtOrAfterItsImpression(cut: Int) throws {
        let dataset = SmallWorld.dataset()
        let fitted = try fitted(dataset)
        var changed = SmallWorld.Columns(dataset.exposures)
        let time = dataset.exposures.times[cut]
        for row in 0..<dataset.exposures.count where dataset.exposures.times[row] >= time {
            changed.actions[row] ^= Actions.click.rawValue
            changed.watch[row] = 1_000 - changed.watch[row]
            if row > cut { changed.items[row] = (changed.items[row] + 11) % UInt32(dataset.items.count) }
        }
        var other = dataset
        other.exposures = changed.table
        let (original, altered) = (made(dataset, fitted).examples, made(other, fitted).examples)
        #expect(flat(original.inputs(of: 0..<cut + 1)) == flat(altered.inputs(of: 0..<cut + 1)))
        let all = 0..<dataset.exposures.count
        if cut < 500 { #expect(flat(original.inputs(of: all)) != flat(altered.inputs(of: all))) }
    }

    /// What is served for a moment is what training made of it.
    @Test func servingMakesTheInputsThatTrainingMade() throws {
        let dataset = SmallWorld.dataset()
        let fitted = try fitted(dataset)
        let all = made(dataset, fitted)
        let log = dataset.exposures
        for row in stride(from: 10, to: log.count, by: 59) {
            var replay = Replay(
                dataset: dataset, encoder: SmallWorld.base(dataset),
                ranking: fitted.makeStatistics(columns: all.encoder.columns))
            // Rows of the same millisecond do not see each other.
            replay.advance(to: log.firstRow(notBefore: log.times[row]))
            var request = RankingRequest(all.encoder)
            let statistics = try #require(replay.ranking)
            request.begin(
                replay.states[Int(log.users[row])],
                Scene(
                    timeMilliseconds: log.times[row], surface: log.surfaces[row],
                    contexts: log.contexts.map { $0.values[row] }), statistics: statistics)
            let served = request.encode(
                [RankingCandidate(row: Int(log.items[row]), columns: all.encoder.columns)], statistics: statistics)
            #expect(flat(served) == flat(all.examples.inputs(of: [row])), "row \(row)")
        }
    }

    /// Numbers counted the slow way from the log, standardised by the fitted mean and deviation.
    @Test func numbersAreWhatTheEarlierRowsAddUpTo() throws {
        let dataset = SmallWorld.dataset()
        let fitted = try fitted(dataset)
        let all = made(dataset, fitted)
        let log = dataset.exposures
        let names = Array(resolved().features.map(\.name)[8..<17])
        guard case .numbers(let numbers) = all.examples.inputs(of: 0..<log.count).fields.last else {
            Issue.record("the last field holds the numbers")
            return
        }
        for row in stride(from: 5, to: log.count, by: 41) {
            let past = (0..<log.count).filter { log.times[$0] < log.times[row] }
            func isClick(_ other: Int) -> Bool { Actions(rawValue: log.actions[other]).contains(.click) }
            func check(_ name: String, _ value: Double) throws {
                let place = try #require(names.firstIndex(of: name))
                let fit = try #require(fitted.numbers[name])
                let expected = (value - Double(fit.mean)) / Double(fit.deviation)
                let found = Double(numbers[row * names.count + place])
                #expect(abs(found - expected) < 1e-3, "\(name) of row \(row): \(found), expected \(expected)")
            }
            let mine = past.filter { log.users[$0] == log.users[row] }
            try check("activity", log1p(Double(mine.count)))
            let item = past.filter { log.items[$0] == log.items[row] }
            if !item.isEmpty {
                let prior = try #require(fitted.rates["item.click_rate"])
                let clicks = Double(item.count(where: isClick))
                try check(
                    "rate",
                    Foundation.log((clicks + prior.a) / (Double(item.count) - clicks + prior.b))
                        - Foundation.log(prior.a / prior.b))
            }
            let hour = Double(60 * 60_000)
            func since(_ other: Int) -> Double { Double(log.times[row] - log.times[other]) }
            // Touches of a user: clicks of the last hour, and those of the candidate's category of the last day. A touch of
            // the item touched last joins it; this log has none within 200 touches.
            let recent = mine.suffix(UserState.recentMax)
            if !zip(mine, mine.dropFirst()).contains(where: { log.items[$0] == log.items[$1] }) {
                try check("mine", log1p(Double(recent.count { isClick($0) && since($0) < hour })))
                let category = dataset.items.categories[Int(log.items[row])]
                try check(
                    "mine_here",
                    log1p(
                        Double(
                            recent.count {
                                isClick($0) && since($0) < 24 * hour
                                    && dataset.items.categories[Int(log.items[$0])] == category
                            })))
            }
            // Two slots of an hour: this one's clicks, and of the last one's what is left of its share.
            let slot = { (time: Int64) in Double(time / 3_600_000) }
            let share = Double(log.times[row] % 3_600_000) / hour
            let clicked = item.filter(isClick)
            let counted = clicked.reduce(0.0) { sum, other in
                let back = slot(log.times[row]) - slot(log.times[other])
                return sum + (back == 0 ? 1 : back == 1 ? 1 - share : 0)
            }
            // A slot is left behind when the item is shown again, or when it is read two slots later: the same by either.
            try check("clicks_1h", log1p(counted))
            let group = { (other: Int) in dataset.users.fields[0].values[Int(log.users[other])] }
            let ofGroup = item.filter { group($0) == group(row) }
            if !ofGroup.isEmpty {
                let prior = try #require(fitted.rates["item.click_rate"])
                let clicks = Double(ofGroup.count(where: isClick))
                try check(
                    "rate_by_group",
                    Foundation.log((clicks + prior.a) / (Double(ofGroup.count) - clicks + prior.b))
                        - Foundation.log(prior.a / prior.b))
            }
            // Every row of this log is a touch: it was clicked, or watched.
            if !item.contains(where: { log.users[$0] == log.users[row] }) { try check("seen", 0) }
        }
    }

    @Test func categoriesThatAreNotKnownAreCounted() throws {
        let dataset = SmallWorld.dataset()
        let fitted = try fitted(dataset)
        let all = made(dataset, fitted)
        var request = RankingRequest(all.encoder)
        let counter = FeatureCounter(fitted.schema, like: fitted.coverage)
        request.counter = counter
        let statistics = try #require(all.replay.ranking)
        request.begin(
            UserState(user: UserKey(rawValue: 999), isKnown: false, profile: []), Scene(timeMilliseconds: 0),
            statistics: statistics)
        let new = ItemVocabulary(dataset.items, columns: all.encoder.columns).features(
            of: LiveItem(publicID: "new", category: "b", publishMilliseconds: 0, durationSeconds: 60))
        let inputs = request.encode(
            [RankingCandidate(new), RankingCandidate(row: 3, columns: all.encoder.columns)], statistics: statistics)
        let coverage = counter.coverage
        #expect(coverage["user"]?.outOfVocabulary == 1)
        #expect(coverage["profile.group"]?.missing == 1)
        #expect(coverage["item"]?.outOfVocabulary == 1)
        #expect(coverage["item"]?.unknownShare == 0.5)
        #expect(coverage["rate"]?.missing == 1)
        // [user, group, item, category, hashed, both, tags, length, ...]
        guard case .categorical(let items) = inputs.fields[2], case .categorical(let lengths) = inputs.fields[7] else {
            Issue.record("categories")
            return
        }
        #expect(items == [0, 4])
        // 60 seconds lie above both boundaries; row 3 has 60 too.
        #expect(lengths == [3, 3])
        #expect(fitted.rows["length"] == 4)
        #expect(fitted.rows["hashed"] == 9)
    }

    /// 24 hours in 4 buckets: every row is one of the table's.
    @Test func hoursCanBeHashed() throws {
        let dataset = SmallWorld.dataset(rows: 100)
        let schema = FeatureSchema(features: [
            FeatureDefinition("hour", "scene.hour", transform: .hash, buckets: 4),
            FeatureDefinition("weekday", "scene.weekday", transform: .hash, buckets: 2),
        ])
        let fitted = try FittedFeatures(fitting: schema, to: dataset, rows: 0..<100, base: SmallWorld.base(dataset))
        var request = RankingRequest(made(dataset, fitted).encoder)
        let statistics = fitted.makeStatistics(columns: ItemFeatureColumns(dataset.items))
        var seen: Set<UInt32> = []
        for hour in 0..<48 {
            request.begin(
                UserState(user: UserKey(rawValue: 1), isKnown: true, profile: []),
                Scene(timeMilliseconds: Int64(hour) * 3_600_000), statistics: statistics)
            for case .categorical(let rows) in request.encode([], statistics: statistics).fields.prefix(1) {
                seen.formUnion(rows)
            }
        }
        #expect(seen.isSubset(of: 1...4) && seen.count > 1)
    }

    @Test func rareValuesOfAVocabularyAreUnknown() throws {
        let dataset = SmallWorld.dataset(rows: 200)
        var schema = resolved()
        schema.features[2].minimumCount = 8
        let fitted = try FittedFeatures(
            fitting: schema, to: dataset, rows: 0..<dataset.exposures.count, base: SmallWorld.base(dataset))
        var showings = [Int](repeating: 0, count: dataset.items.count)
        for item in dataset.exposures.items { showings[Int(item)] += 1 }
        let kept = showings.count { $0 >= 8 }
        #expect(kept > 0 && kept < dataset.items.count)
        #expect(fitted.rows["item"] == kept + 1)
        let examples = made(dataset, fitted).examples
        guard case .categorical(let rows) = examples.inputs(of: 0..<examples.count).fields[2] else {
            Issue.record("items")
            return
        }
        for (row, item) in dataset.exposures.items.enumerated() {
            #expect((rows[row] == 0) == (showings[Int(item)] < 8))
        }
    }

    /// By hand: 500 and 500 values against 100 and 300, nothing missing.
    @Test func driftIsThePopulationStabilityIndex() throws {
        func coverage(_ histogram: [Int], missing: Int = 0) throws -> FeatureCoverage {
            let count = histogram.reduce(missing, +)
            let json = """
                {"count": \(count), "missing": \(missing), "outOfVocabulary": 0, "histogram": \(histogram), "boundaries": [1]}
                """
            return try JSONDecoder().decode(FeatureCoverage.self, from: Data(json.utf8))
        }
        // Four places each: two intervals, missing, unknown; half a value more in each.
        let (p, q) = ([500.5, 500.5, 0.5, 0.5].map { $0 / 1_002 }, [100.5, 300.5, 0.5, 0.5].map { $0 / 402 })
        let expected = zip(p, q).reduce(0) { $0 + ($1.0 - $1.1) * Foundation.log($1.0 / $1.1) }
        let found = try #require(try coverage([500, 500]).drift(to: coverage([100, 300])))
        #expect(abs(found - expected) < 1e-12)
        #expect(try coverage([500, 500]).drift(to: coverage([100, 99])) == nil)
        #expect(try coverage([30, 50], missing: 20).coverage == 0.8)
    }

    @Test(arguments: [
        (FeatureDefinition("x", "item.nothing"), "unknown source 'item.nothing'"),
        (FeatureDefinition("x", "item.id", transform: .log1p), "'log1p' does not fit 'item.id'"),
        (FeatureDefinition("x", "item.id", transform: .hash), "expected buckets"),
        (FeatureDefinition("x", "item.id", buckets: 4), "needs no buckets"),
        (FeatureDefinition("x", "item.duration", transform: .bucketise, boundaries: [2, 1]), "rising numbers"),
        (FeatureDefinition("x", "user.impressions", window: .day), "counted over no window"),
        (FeatureDefinition("x", "author.clicks", split: "group"), "is not split"),
        (FeatureDefinition("x", "user.clicks", split: "group"), "expected category or author"),
        (FeatureDefinition("x", "cross.hash", buckets: 4, of: ["y", "x"]), "'y' is no categorical feature"),
        (FeatureDefinition("x", "cross.item_log_odds"), "unknown source"),
        (FeatureDefinition("x", "user.profile.shoe"), "no profile field 'shoe'; it has group"),
        (FeatureDefinition("x", "item.click_rate", split: "shoe"), "no profile field 'shoe'"),
        (FeatureDefinition("numbers", "item.id"), "that of all numbers together"),
        (FeatureDefinition("x", "item.duration", minimumCount: 3), "of a vocabulary"),
    ])
    func whatCannotBeMeantIsRefused(feature: FeatureDefinition, message: String) throws {
        let dataset = SmallWorld.dataset(rows: 50)
        let schema = FeatureSchema(features: [feature])
        let error = try #require(throws: FeatureError.self) {
            _ = try FittedFeatures(fitting: schema, to: dataset, rows: 0..<50, base: SmallWorld.base(dataset))
        }
        #expect(error.message.contains(message), "\(error.message)")
    }

    @Test func theStandardSchemaCanBeFittedAndWrittenAsJSON() throws {
        let dataset = SmallWorld.dataset()
        let json = try JSONEncoder().encode(FeatureSchema.standard)
        #expect(try JSONDecoder().decode(FeatureSchema.self, from: json) == .standard)
        let fitted = try FittedFeatures(
            fitting: .standard, to: dataset, rows: 0..<dataset.exposures.count, base: SmallWorld.base(dataset))
        // What is optional, and not in this data set, is left out.
        #expect(!fitted.schema.features.contains { $0.name == "item_click_rate_by_age" })
        #expect(fitted.schema.features.contains { $0.name == "profile.group" })
        let examples = made(dataset, fitted).examples
        let inputs = examples.inputs(of: 0..<examples.count)
        #expect(inputs.fields.count == fitted.fields.count)
        guard case .numbers(let numbers) = inputs.fields[inputs.fields.count - 1] else {
            Issue.record("numbers")
            return
        }
        #expect(numbers.allSatisfy { $0.isFinite && abs($0) <= 8 })
        #expect(fitted.fields.last?.count == numbers.count / examples.count)
        let text = #"{"features": [{"name": "a", "source": "item.id", "widht": 3}], "histories": []}"#
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(FeatureSchema.self, from: Data(text.utf8)) }
    }
}
