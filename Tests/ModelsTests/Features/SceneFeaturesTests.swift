import Catalog
import Features
import Foundation
import Kernels
import Models
import Testing

/// What features tell of the scene: hours and days by the clocks of a place, holidays, and the data set's contexts.
struct SceneFeaturesTests {
    private struct Made {
        var fitted: FittedFeatures
        var statistics: RankingStatistics
        var request: RankingRequest

        init(_ schema: FeatureSchema, _ dataset: Dataset) throws {
            let columns = ItemFeatureColumns(dataset.items)
            let (items, users) = (KeyIndex(dataset.items.keys), KeyIndex(dataset.users.keys))
            let rows = 0..<dataset.exposures.count
            let base = FeatureEncoder(
                columns: columns, itemIndex: items, userIndex: users,
                description: FeatureDescription(
                    priors: RatePriors(
                        exposures: dataset.exposures, rows: rows, userCount: dataset.users.count, columns: columns),
                    profileSizes: [3], surfaceCount: 2), recentItems: 5)
            fitted = try FittedFeatures(fitting: schema, to: dataset, rows: rows, base: base)
            statistics = fitted.makeStatistics(columns: columns)
            request = RankingRequest(
                RankingEncoder(
                    fitted, columns: columns, itemIndex: items, userIndex: users, statistics: statistics))
        }

        /// The rows of the categories, in the schema's order.
        mutating func categories(_ scene: Scene) -> [UInt32] {
            let stranger = UserState(user: UserKey(rawValue: 999), isKnown: false, profile: [])
            request.begin(stranger, scene, statistics: statistics)
            return request.encode([], statistics: statistics).fields.flatMap { field -> [UInt32] in
                if case .categorical(let rows) = field { rows } else { [] }
            }
        }
    }

    /// Hours, days (Sunday 0) and dates by zoneinfo of Python: a second before and at each change of the clocks, and at midnight.
    struct Moment: Sendable {
        var zone: String
        var milliseconds: Int64
        var hour: UInt32
        var weekday: UInt32
        var isHoliday = false
    }

    static let moments = [
        Moment(zone: "America/New_York", milliseconds: 1_772_953_199_000, hour: 1, weekday: 0),
        Moment(zone: "America/New_York", milliseconds: 1_772_953_200_000, hour: 3, weekday: 0),
        Moment(zone: "America/New_York", milliseconds: 1_793_512_799_000, hour: 1, weekday: 0),
        Moment(zone: "America/New_York", milliseconds: 1_793_512_800_000, hour: 1, weekday: 0),
        Moment(zone: "America/New_York", milliseconds: 1_793_516_400_000, hour: 2, weekday: 0),
        Moment(zone: "America/New_York", milliseconds: 1_798_174_799_000, hour: 23, weekday: 4),
        Moment(zone: "America/New_York", milliseconds: 1_798_174_800_000, hour: 0, weekday: 5, isHoliday: true),
        Moment(zone: "America/New_York", milliseconds: 1_798_261_199_000, hour: 23, weekday: 5, isHoliday: true),
        Moment(zone: "America/New_York", milliseconds: 1_798_261_200_000, hour: 0, weekday: 6),
        Moment(zone: "Europe/Oslo", milliseconds: 1_774_745_999_000, hour: 1, weekday: 0),
        Moment(zone: "Europe/Oslo", milliseconds: 1_774_746_000_000, hour: 3, weekday: 0),
        Moment(zone: "Europe/Oslo", milliseconds: 1_792_889_999_000, hour: 2, weekday: 0),
        Moment(zone: "Europe/Oslo", milliseconds: 1_792_890_000_000, hour: 2, weekday: 0),
        Moment(zone: "Europe/Oslo", milliseconds: 1_798_153_199_000, hour: 23, weekday: 4),
        Moment(zone: "Europe/Oslo", milliseconds: 1_798_153_200_000, hour: 0, weekday: 5, isHoliday: true),
        Moment(zone: "Asia/Kolkata", milliseconds: 1_782_844_199_000, hour: 23, weekday: 2),
        Moment(zone: "Asia/Kolkata", milliseconds: 1_782_844_200_000, hour: 0, weekday: 3),
        Moment(zone: "UTC", milliseconds: 1_798_156_799_999, hour: 23, weekday: 4),
        Moment(zone: "UTC", milliseconds: 1_798_156_800_000, hour: 0, weekday: 5, isHoliday: true),
    ]

    @Test(arguments: ["America/New_York", "Europe/Oslo", "Asia/Kolkata", "UTC"])
    func clocksOfThePlaceTellHoursAndDays(zone: String) throws {
        let schema = FeatureSchema(
            features: ["hour", "weekday", "holiday"].map { FeatureDefinition($0, "scene.\($0)") }, timeZone: zone,
            holidays: ["2026-12-25", "2026-05-01"])
        var made = try Made(schema, SmallWorld.dataset(rows: 50))
        #expect(made.fitted.rows == ["hour": 25, "weekday": 8, "holiday": 3])
        for moment in Self.moments where moment.zone == zone {
            let found = made.categories(Scene(timeMilliseconds: moment.milliseconds))
            #expect(
                found == [moment.hour + 1, moment.weekday + 1, moment.isHoliday ? 2 : 1],
                "\(zone) \(moment.milliseconds)")
        }
        // Times without a date do no harm.
        for time in [Int64.min, -1, .max] {
            let found = made.categories(Scene(timeMilliseconds: time))
            #expect((1...24).contains(found[0]) && (1...7).contains(found[1]) && found[2] == 1)
        }
    }

    /// Values that are not told are missing, those that the data set does not have unknown; both read row 0.
    @Test func contextsAreCountedLikeOtherCategories() throws {
        let dataset = SmallWorld.dataset(rows: 200)
        let schema = FeatureSchema(features: [
            FeatureDefinition("context", "scene.context.*"),
            FeatureDefinition("hashed", "scene.context.device", transform: .hash, buckets: 5),
            FeatureDefinition("here", "scene.context.geohash"),
        ])
        var made = try Made(schema, dataset)
        #expect(made.fitted.schema.features.map(\.name) == ["hashed", "here"])
        #expect(made.fitted.rows == ["hashed": 6, "context.geohash": 3])
        // Of 200 rows every fourth has no device, every third no place.
        #expect(made.fitted.coverage["hashed"]?.count == 200 && made.fitted.coverage["hashed"]?.missing == 50)
        #expect(made.fitted.coverage["here"]?.missing == 67 && made.fitted.coverage["here"]?.outOfVocabulary == 0)

        let counter = FeatureCounter(made.fitted.schema, like: made.fitted.coverage)
        made.request.counter = counter
        let known = made.categories(Scene(timeMilliseconds: 0, contexts: [3, 2]))
        #expect((1...5).contains(known[0]) && known[1] == 2)
        #expect(made.categories(Scene(timeMilliseconds: 0, contexts: [4, 3])) == [0, 0])
        #expect(made.categories(Scene(timeMilliseconds: 0, contexts: [.max, 0, 7])) == [0, 0])
        #expect(made.categories(Scene(timeMilliseconds: 0)) == [0, 0])
        let (hashed, here) = (counter.coverage["hashed"], counter.coverage["here"])
        #expect(hashed?.count == 4 && hashed?.missing == 1 && hashed?.outOfVocabulary == 2)
        #expect(here?.count == 4 && here?.missing == 2 && here?.outOfVocabulary == 1)
    }

    /// Without contexts and holidays the standard schema is what it was before there were any.
    @Test func theStandardSchemaTakesWhatThereIs() throws {
        func names(_ schema: FeatureSchema, _ contexts: [String]) throws -> [String] {
            var supply = FeatureSupply(profile: ["age"], contexts: contexts)
            supply.counters.subtract([.carts, .purchases])
            supply.itemColumns.remove(.price)
            return try schema.resolved(for: supply).features.map(\.name)
        }
        let plain = try names(.standard, [])
        let scene = try #require(plain.firstIndex(of: "surface"))
        #expect(plain[scene - 1] == "user_category_likes")
        #expect(plain[scene..<scene + 4] == ["surface", "hour", "weekday", "category_clicks"])
        #expect(plain.count == 60 && plain.prefix(3) == ["user", "profile.age", "item"])
        var full = FeatureSchema.standard
        full.holidays = ["2026-12-25"]
        let told = try names(full, ["device", "os"])
        #expect(
            told == plain[...(scene + 2)] + ["context.device", "context.os", "holiday"] + plain[(scene + 3)...])
    }

    /// A combination goes with what it is made of.
    @Test func combinationsNeedTheirParts() throws {
        let schema = FeatureSchema(features: [
            FeatureDefinition("hour", "scene.hour"),
            FeatureDefinition("device", "scene.context.device", optional: true),
            FeatureDefinition("both", "cross.hash", buckets: 64, of: ["hour", "device"], optional: true),
        ])
        func names(_ contexts: [String]) throws -> [String] {
            try schema.resolved(for: FeatureSupply(profile: [], contexts: contexts)).features.map(\.name)
        }
        #expect(try names([]) == ["hour"])
        #expect(try names(["device"]) == ["hour", "device", "both"])

        var ranker = ModelSpecification().ranker
        ranker.features.features.append(
            FeatureDefinition("hour_weekday", "cross.hash", buckets: 512, of: ["hour", "weekday"]))
        func names(days: Double) throws -> Set<String> {
            let schema = try ranker.schema(for: FeatureSupply(profile: [], contexts: []), days: days)
            return Set(schema.features.map(\.name))
        }
        #expect(try names(days: 20).isSuperset(of: ["hour", "weekday", "hour_weekday"]))
        #expect(try names(days: 13).isDisjoint(with: ["weekday", "hour_weekday"]))
    }

    @Test(arguments: [
        (
            "Mars/Olympus", [],
            "timeZone: expected a name of the IANA database such as Europe/Oslo, or UTC, found 'Mars/Olympus'"
        ),
        ("", [], "timeZone: expected a name"),
        ("UTC", ["2026-02-29"], "holidays: expected dates such as 2026-12-25, found '2026-02-29'"),
        ("UTC", ["2026-12-25", "25.12.2026"], "found '25.12.2026'"),
        ("UTC", ["2026-12-25T00:00"], "found '2026-12-25T00:00'"),
    ])
    func datesAndPlacesThatAreNoneAreRefused(zone: String, holidays: [String], message: String) throws {
        var specification = ModelSpecification()
        specification.ranker.features.timeZone = zone
        specification.ranker.features.holidays = holidays
        let error = #expect(throws: ModelError.self) { try specification.ranker.validate() }
        #expect(error?.message.hasPrefix("ranker.features: ") == true && error?.message.contains(message) == true)
    }

    @Test(arguments: [
        (
            FeatureDefinition("x", "scene.context.shoe"),
            "feature 'x': the data set has no context field 'shoe'; it has device, geohash"
        ),
        (FeatureDefinition("x", "scene.context."), "unknown source"),
        (FeatureDefinition("x", "scene.holiday"), "feature 'x': no holidays are named"),
        (FeatureDefinition("x", "scene.context.device", minimumCount: 3), "of a vocabulary"),
    ])
    func featuresThatCannotBeMadeAreRefused(feature: FeatureDefinition, message: String) throws {
        let error = try #require(throws: FeatureError.self) {
            _ = try Made(FeatureSchema(features: [feature]), SmallWorld.dataset(rows: 50))
        }
        #expect(error.message.contains(message), "\(error.message)")
    }

    /// A component of before contexts, time zones and holidays opens, and tells hours in UTC.
    @Test func olderFittedFeaturesAreRead() throws {
        var dataset = SmallWorld.dataset(rows: 50)
        dataset.exposures.contexts = []
        let fitted = try Made(.standard, dataset).fitted
        let written = try JSONSerialization.jsonObject(with: JSONEncoder().encode(fitted)) as? [String: Any]
        var older = try #require(written)
        var schema = try #require(older["schema"] as? [String: Any])
        #expect(older.removeValue(forKey: "contexts") != nil)
        #expect(schema.removeValue(forKey: "timeZone") != nil && schema.removeValue(forKey: "holidays") != nil)
        older["schema"] = schema
        let read = try JSONDecoder().decode(
            FittedFeatures.self, from: JSONSerialization.data(withJSONObject: older))
        #expect(read.schema == fitted.schema && read.contexts.isEmpty && read.rows == fitted.rows)
    }
}
