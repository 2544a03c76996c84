import Catalog
import Kernels
import Testing

@Suite struct DatasetBuilderTests {
    /// A builder with users u, v and items a, b, whose rows are returned.
    private func world(
        joinWindow: Duration = .seconds(60)
    ) throws -> (builder: DatasetBuilder, u: UInt32, v: UInt32, a: UInt32, b: UInt32) {
        var builder = DatasetBuilder(name: "test", joinWindow: joinWindow)
        let rows = (
            u: try builder.addUser("20"), v: try builder.addUser("10"), a: try builder.addItem("2"),
            b: try builder.addItem("1")
        )
        return (builder, rows.u, rows.v, rows.a, rows.b)
    }

    @Test func tablesAreSortedByKeyAndExposuresByTime() throws {
        var (builder, u, v, a, b) = try world()
        builder.addEvent(user: u, item: a, timeMilliseconds: 3000, actions: .impression)
        builder.addEvent(user: v, item: b, timeMilliseconds: 1000, actions: [.impression, .click], watchSeconds: 2.5)
        let dataset = try builder.build().dataset
        #expect(dataset.users.keys.map(\.rawValue) == [10, 20])
        #expect(dataset.items.keys.map(\.rawValue) == [1, 2])
        #expect(dataset.items.publicIDs[0] == "1")
        #expect(Array(dataset.exposures.times) == [1000, 3000])
        #expect(Array(dataset.exposures.users) == [0, 1])
        #expect(Array(dataset.exposures.items) == [0, 1])
        #expect(Array(dataset.exposures.watchSeconds) == [2.5, 0])
        #expect(dataset.exposures.hasNegatives)
    }

    @Test func actionsJoinTheLatestShowingInTheWindow() throws {
        var (builder, u, v, a, b) = try world(joinWindow: .seconds(60))
        builder.addEvent(user: u, item: a, timeMilliseconds: 90_000, actions: .click)
        builder.addEvent(user: u, item: a, timeMilliseconds: 0, actions: .impression)
        builder.addEvent(user: u, item: a, timeMilliseconds: 40_000, actions: .impression)
        builder.addEvent(user: u, item: a, timeMilliseconds: 95_000, actions: [], watchSeconds: 4)
        builder.addEvent(user: v, item: a, timeMilliseconds: 96_000, actions: .like)
        builder.addEvent(user: u, item: b, timeMilliseconds: 50_000, actions: .impression)
        builder.addEvent(user: u, item: b, timeMilliseconds: 110_001, actions: .click)
        let outcome = try builder.build()
        let exposures = outcome.dataset.exposures
        let actions = exposures.actions.map(Actions.init)
        #expect(Array(exposures.times) == [0, 40_000, 50_000, 96_000, 110_001])
        #expect(actions == [.impression, [.impression, .click], .impression, .like, .click])
        #expect(Array(exposures.watchSeconds) == [0, 4, 0, 0, 0])
        #expect(outcome.joinedActions == 2)
        #expect(outcome.unattachedActions == 2)
        #expect(outcome.duplicateEvents == 0)
    }

    /// What follows an action without a showing belongs to it: a click and then a like are one exposure.
    @Test func actionsWithoutShowingGather() throws {
        var (builder, u, _, a, _) = try world()
        builder.addEvent(user: u, item: a, timeMilliseconds: 1000, actions: .click)
        builder.addEvent(user: u, item: a, timeMilliseconds: 2000, actions: .like)
        let exposures = try builder.build().dataset.exposures
        #expect(exposures.actions.map(Actions.init) == [[.click, .like]])
        #expect(!exposures.hasNegatives)
    }

    @Test func repeatedRowsCountOnce() throws {
        var (builder, u, v, a, b) = try world()
        for _ in 0..<3 {
            builder.addEvent(user: u, item: a, timeMilliseconds: 5, actions: [], watchSeconds: 2)
            builder.addEvent(user: u, item: a, timeMilliseconds: 5, actions: .click)
            builder.addEvent(user: u, item: a, timeMilliseconds: 5, actions: .impression)
            builder.addEvent(user: u, item: b, timeMilliseconds: 5, actions: .impression)
        }
        builder.addEvent(user: v, item: a, timeMilliseconds: 5, actions: [.impression, .click])
        builder.addEvent(user: v, item: a, timeMilliseconds: 5, actions: [.impression, .like])
        let outcome = try builder.build()
        let exposures = outcome.dataset.exposures
        let rows = zip(exposures.users, exposures.items).enumerated().map { row, pair in
            (pair.0, pair.1, Actions(rawValue: exposures.actions[row]), exposures.watchSeconds[row])
        }
        #expect(outcome.duplicateEvents == 9)
        #expect(rows.count == 3)
        #expect(rows.contains { $0 == (1, 1, [.impression, .click], 2) })
        #expect(rows.contains { $0 == (1, 0, .impression, 0) })
        #expect(rows.contains { $0 == (0, 1, [.impression, .click], 0) }, "the first showing in the log counts")
    }

    /// The radix sort against the library's, over spans from nothing to all 64 bits of milliseconds.
    @Test(arguments: [0, 10, 5_000, 3_000_000_000, 4_000_000_000_000_000] as [Int64])
    func anyOrderOfEventsGivesTheSameData(span: Int64) throws {
        var random = SeededGenerator(seed: UInt64(span))
        let times = (0..<2000).map { _ in span == 0 ? 7 : Int64.random(in: -span...span, using: &random) }
        var (builder, u, v, a, b) = try world(joinWindow: .zero)
        for (row, time) in times.enumerated() {
            builder.addEvent(
                user: row % 2 == 0 ? u : v, item: row % 3 == 0 ? a : b, timeMilliseconds: time, actions: .impression)
        }
        let exposures = try builder.build().dataset.exposures
        let distinct = Set(
            times.enumerated().map { [Int64($0.offset % 2), Int64($0.offset % 3 == 0 ? 0 : 1), $0.element] })
        #expect(exposures.count == distinct.count)
        #expect(Array(exposures.times) == distinct.map { $0[2] }.sorted())
    }

    @Test func fieldsAndDetailsFollowTheirRows() throws {
        var builder = DatasetBuilder(name: "test", userFields: ["city", "age"])
        let second = try builder.addUser("2", fields: ["Rome", ""])
        let first = try builder.addUser("1", fields: ["Oslo"])
        let item = try builder.addItem("x", details: ItemDetails(title: "T", category: "c", author: "77"))
        let unseen = try builder.addItem("5")
        builder.addEvent(user: second, item: item, timeMilliseconds: 1, actions: .impression)
        builder.addEvent(user: first, item: unseen, timeMilliseconds: 1, actions: .impression)
        let dataset = try builder.build().dataset
        let city = dataset.users.fields[0]
        #expect(dataset.users.fields.map(\.name) == ["city", "age"])
        #expect(city.values.map { city.vocabulary[Int($0)] } == ["Oslo", "Rome"])
        #expect(Array(dataset.users.fields[1].values) == [0, 0])
        let row = try #require(KeyIndex(dataset.items.keys).row(of: ItemKey(publicID: "x")))
        #expect(dataset.items.titles[row] == "T")
        #expect(dataset.items.authors[row] == 77)
        #expect(dataset.items.categoryNames[Int(dataset.items.categories[row])] == "c")
        #expect(dataset.items.titles[1 - row] == "")
    }

    /// The decimal id that is the hash of another id shares its key.
    @Test func collidingIDsAreNamed() throws {
        var builder = DatasetBuilder(name: "test")
        let key = ItemKey(publicID: "apple").rawValue
        try builder.addItem("apple")
        let error = #expect(throws: CatalogError.self) { try builder.addItem(String(key)) }
        #expect(error?.code == .keyCollision)
        #expect(error?.message.contains("\"apple\"") == true)
        #expect(error?.message.contains("\"\(key)\"") == true)
    }

    @Test func nothingToBuildFromIsAnError() throws {
        let builder = try world().builder
        let error = #expect(throws: CatalogError.self) { _ = try builder.build() }
        #expect(error?.code == .empty)
    }
}
