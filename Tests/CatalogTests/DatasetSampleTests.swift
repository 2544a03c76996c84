import Catalog
import Testing

@Suite struct DatasetSampleTests {
    @Test func theMiddlingUserHasTheMedianHistory() throws {
        var builder = DatasetBuilder(name: "test")
        // Users 1...5 with 0, 9, 1, 4 and 2 clicks: of those with any, 3, 5, 4, 2 in order, the third.
        for (user, clicks) in [0, 9, 1, 4, 2].enumerated() {
            let row = try builder.addUser(String(user + 1))
            for index in 0..<10 {
                builder.addEvent(
                    user: row, item: try builder.addItem(String(index)), timeMilliseconds: Int64(index),
                    actions: index < clicks ? [.impression, .click] : .impression)
            }
        }
        #expect(try builder.build().dataset.middlingUser == 3)
    }
}
