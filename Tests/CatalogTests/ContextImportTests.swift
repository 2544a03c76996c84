import Catalog
import Testing

/// What `events.csv` tells of scenes.
@Suite struct ContextImportTests {
    private func read(_ events: String) throws -> (dataset: Dataset, report: ImportReport) {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        try directory.write("events.csv", events)
        return try LogSource("csv:\(directory.path)").read()
    }

    /// By field, the text of each exposure's value.
    private func contexts(_ dataset: Dataset) -> [String: [String]] {
        let fields = dataset.exposures.contexts.map { field in
            (field.name, field.values.map { field.vocabulary[Int($0)] })
        }
        return Dictionary(uniqueKeysWithValues: fields)
    }

    /// Rows out of order; a click of another device joins the phone's showing, a like without a showing brings its own.
    @Test func anExposureHasTheContextOfItsShowing() throws {
        let (dataset, report) = try read(
            """
            context.device,user_id,item_id,time,event,latitude,longitude,context.os,colour
            tv,ann,2,2000,like,,,,red
            tablet,ann,1,1001,click,0,0,c,red
            phone,ann,1,1000,impression,59.9139,10.7522,a,red
            ,bob,1,1500,impression,,,b,red
            """)
        let exposures = dataset.exposures
        #expect(exposures.times.map { $0 } == [1_000_000, 1_500_000, 2_000_000])
        #expect(exposures.contexts.map(\.name) == ["device", "os", "geohash"])
        // Oslo lies in u4xsu, by geohash.org.
        #expect(
            contexts(dataset) == [
                "device": ["phone", "", "tv"], "os": ["a", "b", ""], "geohash": ["u4xsu", "", ""],
            ])
        #expect(report.files[0].unusedColumns == ["colour"])
        #expect(exposures.contexts.allSatisfy { $0.vocabulary[0].isEmpty })
    }

    @Test func logsWithoutThemHaveNone() throws {
        let (dataset, report) = try read("user_id,item_id,time,event,latitude\na,1,5,click,95\n")
        #expect(dataset.exposures.contexts.isEmpty)
        #expect(report.files[0].unusedColumns == ["latitude"], "a latitude alone is no place")
    }

    @Test func valuesThatCannotBeUsedAreRejected() throws {
        let long = String(repeating: "x", count: 1025)
        let (dataset, report) = try read(
            "user_id,item_id,time,event,context.device,latitude,longitude\n"
                + "a,1,5,click,\(long),,\na,1,6,click,tv,91,0\na,1,7,click,tv,5,\na,1,8,click,tv,,\n")
        #expect(report.files[0].rejects.mapValues(\.count) == [.context: 1, .place: 2])
        let example = try #require(report.files[0].rejects[.context]?.examples.first)
        #expect(example.contains("events.csv:2: context.device is \"xx"))
        #expect(contexts(dataset) == ["device": ["tv"], "geohash": [""]])
    }

    @Test(arguments: [
        ("context.surface", "column \"context.surface\": no context can have this name"),
        ("context.geohash", "column \"context.geohash\": no context can have this name"),
        ("context.", "column \"context.\": no context can have this name"),
        ("context.*", "column \"context.*\": no context can have this name"),
        ((0..<65).map { "context.c\($0)" }.joined(separator: ","), "65 fields of context; at most 64"),
    ])
    func columnsThatCannotBeAreNamed(columns: String, message: String) {
        let error = #expect(throws: CatalogError.self) { try read("user_id,item_id,time,event,\(columns)\n") }
        #expect(error?.code == .invalidInput && error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    /// Surfaces are told in 16 bits: the 65,536th is one too many.
    @Test func oneSurfaceTooManyIsRejected() throws {
        let rows = (1...65_537).map { "a,\($0 % 10),\($0),impression,s\($0)\n" }
        let (dataset, report) = try read("user_id,item_id,time,event,surface\n" + rows.joined())
        #expect(report.files[0].rejects.mapValues(\.count) == [.surface: 2])
        #expect(dataset.exposures.surfaceNames.count == 65_536)
    }
}
