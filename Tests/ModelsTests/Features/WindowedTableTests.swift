import Blobs
import Catalog
import Features
import Foundation
import Models
import Testing

struct WindowedTableTests {
    private let hour: Int64 = 3_600_000

    private func counts(_ table: WindowedTable, _ window: Int, at time: Int64) -> [Float] {
        table.counters.indices.map { table.count(1, window: window, counter: $0, at: time) }
    }

    /// Numbers by hand: current slot + previous slot times what is left of the window's other part.
    @Test func twoSlotsSlide() {
        var table = WindowedTable(
            entities: 3, windows: [.hour, .all], counters: [.impressions, .clicks, .watchSeconds])
        // The slot starts at 10 h.
        let start = 10 * hour
        table.add(1, [.impression], watchSeconds: 0, at: start)
        table.add(1, [.impression, .click], watchSeconds: 12, at: start + hour / 2)
        #expect(counts(table, 0, at: start + hour / 2) == [2, 1, 12])
        // A quarter into the next slot: three quarters of the one before.
        #expect(counts(table, 0, at: start + hour + hour / 4) == [1.5, 0.75, 9])
        table.add(1, [.impression], watchSeconds: 0, at: start + hour + hour / 4)
        #expect(counts(table, 0, at: start + hour + hour / 2) == [2, 0.5, 6])
        // Reading is all that is needed for time to pass.
        #expect(counts(table, 0, at: start + 2 * hour + hour / 2) == [0.5, 0, 0])
        #expect(counts(table, 0, at: start + 3 * hour) == [0, 0, 0])
        #expect(counts(table, 1, at: start + 100 * hour) == [3, 1, 12])
        #expect(table.count(0, window: 1, counter: 0, at: start) == 0)
    }

    @Test func eventsThatComeLateCountInTheirOwnSlot() {
        var table = WindowedTable(entities: 2, windows: [.day], counters: [.impressions])
        let day = 24 * hour
        table.add(1, [.impression], watchSeconds: 0, at: 5 * day)
        table.add(1, [.impression], watchSeconds: 0, at: 4 * day + hour)
        // Two slots ago: not counted.
        table.add(1, [.impression], watchSeconds: 0, at: 3 * day)
        #expect(table.count(1, window: 0, counter: 0, at: 5 * day) == 2)
        #expect(table.count(1, window: 0, counter: 0, at: 5 * day + day / 2) == 1.5)
        // After a gap both slots are empty again.
        table.add(1, [.impression], watchSeconds: 0, at: 9 * day)
        #expect(table.count(1, window: 0, counter: 0, at: 9 * day) == 1)
    }

    /// For events that come evenly the two slots give the sliding window's count.
    @Test func evenEventsAreCountedAsASlidingWindowWould() {
        var table = WindowedTable(entities: 1, windows: [.hour], counters: [.impressions])
        for minute in 0..<600 {
            table.add(0, [.impression], watchSeconds: 0, at: Int64(minute) * 60_000)
            if minute >= 120 {
                let found = table.count(0, window: 0, counter: 0, at: Int64(minute) * 60_000 + 1)
                #expect(abs(found - 60) <= 1, "minute \(minute)")
            }
        }
    }

    /// Counts that were stored before there were carts and purchases are those of a schema that reads neither; to one that does
    /// they are of another shape.
    @Test func olderCountsFitTheirOwnSchema() throws {
        let dataset = SmallWorld.dataset(items: 2)
        func statistics(_ sources: String...) -> RankingStatistics {
            RankingStatistics(
                schema: FeatureSchema(features: sources.map { FeatureDefinition($0, $0) }),
                columns: ItemFeatureColumns(dataset.items), surfaceCount: 1, profile: [])
        }
        let directory = FileManager.default.temporaryDirectory.appending(path: "counts-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // Two items, one window, two slots of impressions, clicks and finishes, in this order.
        var writer = SafetensorsWriter()
        writer.add("item.values", [9, 4, 1, 0, 0, 0, 7, 3, 2, 0, 0, 0] as [Float])
        writer.add("item.slots", [0, 0] as [Int32])
        try writer.write(to: "\(directory)/statistics")
        let file = try SafetensorsFile(path: "\(directory)/statistics")
        var older = statistics("item.finish_rate", "item.click_rate")
        try older.restore(file)
        #expect(counts(older.parts[0].table, 0, at: 0) == [7, 3, 2])
        var newer = statistics("item.finish_rate", "item.click_rate", "item.purchase_rate")
        let error = #expect(throws: BlobError.self) { try newer.restore(file) }
        #expect(error?.message.contains("item.values") == true, "\(error?.message ?? "")")
    }

    @Test func statisticsOfOtherOwnersAddUp() throws {
        let dataset = SmallWorld.dataset()
        let schema = FeatureSchema(features: [
            FeatureDefinition("a", "item.click_rate", window: .day),
            FeatureDefinition("b", "item.click_rate", split: "group"),
            FeatureDefinition("c", "author.clicks"), FeatureDefinition("d", "category.impressions", window: .hour),
        ])
        var statistics = RankingStatistics(
            schema: schema, columns: ItemFeatureColumns(dataset.items), surfaceCount: 2, profile: [("group", 3)])
        statistics.record(
            StatisticsEvent(
                item: 4, surface: 1, profile: [2], timeMilliseconds: 0, actions: [.impression, .click], watchSeconds: 0)
        )
        statistics.record(
            StatisticsEvent(
                item: 4, surface: 1, profile: [7], timeMilliseconds: 0, actions: [.impression], watchSeconds: 0))
        let names = statistics.parts.map { "\($0.owner.rawValue) \($0.split ?? "")" }
        #expect(names == ["author ", "category ", "item ", "item group"])
        let split = statistics.parts[3].table
        // Item 4 of viewers of value 2, and of a value that is none: [impressions, clicks].
        #expect([0, 1].map { split.count(4 * 3 + 2, window: 0, counter: $0, at: 0) } == [1, 1])
        #expect([0, 1].map { split.count(4 * 3, window: 0, counter: $0, at: 0) } == [1, 0])
        #expect(statistics.parts[2].table.count(4, window: 0, counter: 0, at: 0) == 2)
        // Author 4 is the fourth known one, category of row 4 is 2.
        #expect(statistics.parts[0].table.count(4, window: 0, counter: 0, at: 0) == 1)
        #expect(statistics.parts[1].table.count(2, window: 0, counter: 0, at: 0) == 2)
    }
}
