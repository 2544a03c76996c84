import Catalog
import Kernels
import Testing

@Suite struct CSVImportTests {
    private func read(_ directory: TemporaryDirectory) throws -> (dataset: Dataset, report: ImportReport) {
        try LogSource("csv:\(directory.path)").read()
    }

    /// Every exposure as "user item time actions watch surface", for comparison with rows written by hand.
    private func rows(_ dataset: Dataset) -> [String] {
        let exposures = dataset.exposures
        return (0..<exposures.count).map { row in
            let actions = Actions(rawValue: exposures.actions[row])
            let names = EventNames.actions.filter { !$0.actions.isEmpty && actions.contains($0.actions) }.map(\.name)
            return [
                dataset.users.publicIDs[Int(exposures.users[row])], dataset.items.publicIDs[Int(exposures.items[row])],
                "\(exposures.times[row])", names.joined(separator: "+"), "\(exposures.watchSeconds[row])",
                exposures.surfaceNames[Int(exposures.surfaces[row])],
            ].joined(separator: " ")
        }
    }

    @Test func aLogWithEverythingInIt() throws {
        let directory = try TemporaryDirectory()
        // Another column order, a byte order mark, CR LF, quotes, all three kinds of time, and no last line end.
        try directory.write(
            "events.csv",
            "\u{FEFF}event,time,surface,item_id,user_id,value\r\n"
                + "impression,1650812741,home,\"film, the\",anna,\r\n"
                + "click,1650812742436,home,\"film, the\",anna,\r\n"
                + "\r\n"
                + "play,2022-04-24T15:05:50Z,,\"film, the\",anna,12.5\r\n"
                + "purchase,2022-04-24T15:06:00Z,,\"film, the\",anna,\r\n"
                + "cart,2022-04-24T15:05:55Z,,\"film, the\",anna,\r\n"
                + "like,2022-04-24T23:05:51.5+08:00,,\"say \"\"hi\"\"\",bert,")
        try directory.write(
            "items.csv",
            "item_id,title,category,author,publish_time,duration,colour,latitude,longitude,city,quality,price\n"
                + "\"film, the\",\"Two\nlines\",Drama,9,2022-04-01,61.5,red,59.9,10.75,Oslo,0.7,1299.5\n")
        try directory.write("follows.csv", "user_id,author,time\nanna,9,2022-04-02\ndora,me,\n")
        try directory.write(
            "rejected.csv", "time,item_id,user_id\n2022-04-03,new,bert\n2022-04-02,\"film, the\",anna\n")
        try directory.write("users.csv", "city,user_id\nOslo,anna\n\"New York, NY\",carl\n")
        let (dataset, report) = try read(directory)
        #expect(
            rows(dataset) == [
                "anna film, the 1650812741000 impression+click+cart+purchase 12.5 home",
                "bert say \"hi\" 1650812751500 like 0.0 ",
            ])
        let film = try #require(KeyIndex(dataset.items.keys).row(of: ItemKey(publicID: "film, the")))
        #expect(dataset.items.titles[film] == "Two\nlines")
        #expect(dataset.items.publishTimes[film] == 1_648_771_200_000)
        #expect(dataset.items.durations[film] == 61.5)
        #expect(dataset.items.latitudes[film] == 59.9 && dataset.items.longitudes[film] == 10.75)
        #expect(dataset.items.cities[film] == ItemKey(publicID: "Oslo").rawValue)
        #expect(dataset.items.qualities[film] == 0.7)
        #expect(dataset.items.prices[film] == 1299.5 && dataset.items.prices.count { !$0.isNaN } == 1)
        #expect(dataset.follows.times.map { $0 } == [0, 1_648_857_600_000])
        #expect(dataset.follows.users.map { dataset.users.publicIDs[Int($0)] } == ["dora", "anna"])
        #expect(dataset.follows.authors.map { $0 } == [ItemKey(publicID: "me").rawValue, 9])
        #expect(dataset.rejected.times.map { $0 } == [1_648_857_600_000, 1_648_944_000_000])
        #expect(dataset.rejected.users.map { dataset.users.publicIDs[Int($0)] } == ["anna", "bert"])
        #expect(dataset.rejected.items.map { dataset.items.publicIDs[Int($0)] } == ["film, the", "new"])
        let city = dataset.users.fields[0]
        let carl = try #require(KeyIndex(dataset.users.keys).row(of: UserKey(publicID: "carl")))
        #expect(city.name == "city")
        #expect(city.vocabulary[Int(city.values[carl])] == "New York, NY")
        #expect(report.files.map(\.rowsRead) == [2, 1, 6, 2, 2])
        #expect(report.files.map(\.rowsKept) == [2, 1, 6, 2, 2])
        #expect(report.files[1].unusedColumns == ["colour"])
        #expect(report.joinedActions == 4)
        #expect(report.unattachedActions == 1)
    }

    @Test func placesQualitiesAndFollowsThatCannotBeAreRejected() throws {
        let directory = try TemporaryDirectory()
        try directory.write("events.csv", "user_id,item_id,time,event\na,1,5,click\n")
        try directory.write(
            "items.csv",
            "item_id,latitude,longitude,quality\n1,91,0,\n2,,5,\n3,5,,\n4,5,x,\n5,,,1.5\n6,,,\n7,-90,180,1\n")
        try directory.write("follows.csv", "user_id,author,time\na,,\n,b,\na,b,soon\na,b,\n")
        try directory.write("rejected.csv", "user_id,item_id,time\na,,1\n,1,1\na,1,soon\na,1,1\n")
        let (dataset, report) = try read(directory)
        #expect(report.files[0].rejects[.place]?.count == 4)
        #expect(report.files[0].rejects[.place]?.examples.first == "\(directory.path)/items.csv:2: latitude is \"91\"")
        #expect(report.files[0].rejects[.value]?.count == 1)
        #expect(report.files[0].rowsKept == 2)
        #expect(report.files[2].rejects.mapValues(\.count) == [.author: 1, .userID: 1, .time: 1])
        #expect(report.files[2].rowsKept == 1 && dataset.follows.count == 1)
        #expect(report.files[3].rejects.mapValues(\.count) == [.itemID: 1, .userID: 1, .time: 1])
        #expect(report.files[3].rowsKept == 1 && dataset.rejected.count == 1)
    }

    @Test func everyReasonIsCountedWithItsLine() throws {
        let directory = try TemporaryDirectory()
        let longID = String(repeating: "x", count: 1025)
        let path = try directory.write(
            "events.csv",
            """
            user_id,item_id,time,event,value
            1,2,1650812741,click,
            1,2,1650812741
            1,2,1650812741,click,,
            ,2,1650812741,click,
            \(longID),2,1650812741,click,
            1,,1650812741,click,
            1,2,yesterday,click,
            1,2,-5,click,
            1,2,2022-02-29,click,
            1,2,,click,
            1,2,1650812741,buy,
            1,2,1650812741,play,-1
            1,2,1650812741,play,nan
            1,2,1650812741,play,1e9
            1,"multi
            line",1650812741,Click,
            1,2,1650812741,impression,

            """)
        let (dataset, report) = try read(directory)
        let file = report.files[0]
        #expect(file.rowsRead == 16)
        #expect(file.rowsKept == 2)
        #expect(
            file.rejects.mapValues(\.count) == [
                .fieldCount: 2, .userID: 2, .itemID: 1, .time: 4, .event: 2, .value: 3,
            ])
        #expect(file.rejects[.time]?.examples.first == "\(path):8: time is \"yesterday\"")
        #expect(file.rejects[.time]?.examples.count == 3)
        #expect(
            file.rejects[.event]?.examples == [
                "\(path):12: event is \"buy\"", "\(path):16: event is \"Click\"",
            ])
        #expect(dataset.exposures.count == 1)
    }

    @Test func rowsOfTablesAreCountedToo() throws {
        let directory = try TemporaryDirectory()
        try directory.write("events.csv", "user_id,item_id,time,event\n1,2,1650812741,click\n")
        try directory.write(
            "items.csv",
            "item_id,title,publish_time,duration,price\n"
                + "2,a,,,0\n2,b,,,\n3,c,soon,,\n4,d,,long,\n,e,,,\n5,f,,,\n6,g,,,-1\n7,h,,,cheap\n8,i,,,1.1e12\n")
        try directory.write("users.csv", "user_id,age\n1,30\n1,31\n,5\n")
        let (dataset, report) = try read(directory)
        #expect(report.files[0].rejects.mapValues(\.count) == [.duplicate: 1, .userID: 1])
        #expect(report.files[1].rejects.mapValues(\.count) == [.duplicate: 1, .itemID: 1, .time: 1, .value: 4])
        #expect(dataset.items.count == 2)
        #expect(dataset.items.titles[0] == "a")
        #expect(dataset.items.prices[0] == 0 && dataset.items.prices[1].isNaN, "free is known, nothing is not")
    }

    /// Files that cannot be used at all, and what the one line must say.
    static let unusable: [(events: String, message: String)] = [
        ("", "events.csv: the file is empty"),
        ("user_id,item_id,event\n1,2,click\n", "no column \"time\""),
        ("user_id,item_id,time,event,time\n", "names the column \"time\" twice"),
        ("user_id,item_id,time,event\n", "no usable event"),
        ("user_id,item_id,time,event\n1,2,never,click\n", "no usable event"),
        ("user_id,item_id,time,event\n1,\"2,3,click\n", "events.csv:2: a quoted field is not closed"),
        ("user_id,item_id,time,event\n1,\"2\"x,3,click\n", "events.csv:2: text follows a closed quote"),
        (String(repeating: ",", count: 5000), "events.csv:1: more than 4096 fields"),
        (String(repeating: "a", count: (4 << 20) + 1), "events.csv:1: the record is longer than 4194304 bytes"),
        ("user_id,item_id,time,event\n\(UInt64.max),2,3,click\n\u{0},2,3,click", ""),
    ]

    @Test(arguments: unusable)
    func unusableFilesAreNamed(events: String, message: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("events.csv", events)
        guard !message.isEmpty else {
            #expect(try read(directory).dataset.users.count == 2, "ids of any characters are ids")
            return
        }
        let error = #expect(throws: CatalogError.self) { _ = try self.read(directory) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: ["csv", "csv:", "xml:/tmp", "/tmp", "csv:/no/such/directory", "csv:/etc/hostname"])
    func unusableSourcesAreErrors(text: String) {
        #expect(throws: CatalogError.self) { _ = try LogSource(text).read() }
    }

    /// Arbitrary bytes are counted or refused, and never crash the reader; records straddle its 4 MiB chunks.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func anyBytesAreHandled(seed: UInt64) throws {
        var random = SystemSeed(state: seed)
        let alphabet = Array("1a,\"\n\r\u{0}\u{FF};. -:T".utf8)
        var bytes = Array("user_id,item_id,time,event,value\n".utf8)
        for _ in 0..<5000 { bytes.append(alphabet[Int(random.next() % UInt64(alphabet.count))]) }
        let directory = try TemporaryDirectory()
        try directory.write("events.csv", bytes: bytes)
        do {
            let (_, report) = try read(directory)
            let rejected = report.files[0].rejects.values.reduce(0) { $0 + $1.count }
            #expect(report.files[0].rowsKept + rejected == report.files[0].rowsRead)
        } catch let error as CatalogError {
            #expect(error.code == .invalidInput || error.code == .empty)
        }
    }

    /// SplitMix64, spelled out: the test's bytes must not depend on the code under test.
    private struct SystemSeed {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            let mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            return mixed ^ (mixed >> 31)
        }
    }

    @Test func recordsMayStraddleChunks() throws {
        let directory = try TemporaryDirectory()
        var text = "user_id,item_id,time,event,surface\n"
        let count = 150_000
        for row in 0..<count {
            text += "\"u\(row % 977)\",\(row),\(1_650_000_000_000 + row),impression,\"a, \"\"\(row % 7)\"\"\"\r\n"
        }
        try directory.write("events.csv", text)
        #expect(text.utf8.count > 6 << 20)
        let (dataset, report) = try read(directory)
        #expect(report.files[0].rowsKept == count)
        #expect(dataset.exposures.count == count)
        #expect(dataset.users.count == 977)
        #expect(dataset.exposures.surfaceNames.count == 8)
        #expect((0..<count).allSatisfy { dataset.items.publicIDs[Int(dataset.exposures.items[$0])] == "\($0)" })
        #expect(dataset.exposures.surfaceNames[Int(dataset.exposures.surfaces[9])] == "a, \"2\"")
    }
}
