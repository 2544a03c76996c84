import Catalog
import Kernels
import Testing

@Suite struct SequenceImportTests {
    @Test func historiesKeepTheirOrder() throws {
        let directory = try TemporaryDirectory()
        try directory.write("b.txt", "7 30 10  20\n8\n\n9 10 30\n")
        try directory.write("notes.md", "not read")
        let (dataset, report) = try LogSource("sequences:\(directory.path)").read()
        #expect(report.files.map(\.rowsRead) == [3] && report.files.map(\.rowsKept) == [2])
        #expect(report.files[0].rejects.values.reduce(0) { $0 + $1.count } == 1)
        let log = dataset.exposures
        let users = dataset.users.publicIDs
        let user = try #require((0..<users.count).first { users[$0] == "7" })
        let items = log.users.indices.filter { log.users[$0] == UInt32(user) }.map {
            dataset.items.publicIDs[Int(log.items[$0])]
        }
        #expect(items == ["30", "10", "20"])
        #expect(log.count == 5 && !log.hasNegatives)
    }

    @Test func aDirectoryWithoutHistoriesIsRefused() throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: CatalogError.self) { try LogSource("sequences:\(directory.path)").read() }
        #expect(error?.message.contains("no file *.txt") == true)
    }
}
