import Blobs

/// Histories without times, one user a line: the user, then his items, oldest first, by spaces; the form in which sequential
/// recommenders are compared (Kang and McAuley, ICDM 2018; Zhou et al., CIKM 2020). Any `*.txt` of a directory is read.
///
/// An item is a click without a showing. Its place in the line stands for its time, an hour a place, so that ages of items
/// and the popularity of late mean little.
struct SequenceImporter: LogImporter {
    static let format = "sequences"

    /// What a user's first item is said to have happened at, and how far apart items are, milliseconds.
    private static let start: Int64 = 1_000_000_000_000
    private static let step: Int64 = 3_600_000

    func read(
        _ directory: String, into builder: inout DatasetBuilder, report: inout ImportReport, progress: ImportProgress
    ) throws(CatalogError) {
        let names = try catalogErrors { () throws(BlobError) in try FileSystem.list(directory) }
        let files = names.filter { $0.hasSuffix(".txt") }.sorted()
        guard !files.isEmpty else { throw CatalogError(.invalidInput, "\(directory): no file *.txt") }
        for name in files { report.files.append(try read("\(directory)/\(name)", &builder, progress)) }
    }

    private func read(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, format: .spaces, columns: ["user", "items"], progress: progress)
        while try table.nextOfAnyLength() {
            guard table.reader.fieldCount > 1 else {
                table.reject(.fieldCount, 0)
                continue
            }
            guard let user = try builder.userRow(table.bytes(0)) else {
                table.reject(.userID, 0)
                continue
            }
            guard let items = try items(&table, &builder) else {
                table.reject(.itemID, 1)
                continue
            }
            for (place, item) in items.enumerated() {
                builder.append(
                    LoggedEvent(user: user, item: item, time: Self.start + Int64(place) * Self.step, actions: .click))
            }
            table.keep()
        }
        return table.report
    }

    /// The items of a row; nil when one is unusable.
    private func items(
        _ table: inout DelimitedTable, _ builder: inout DatasetBuilder
    ) throws(CatalogError) -> [UInt32]? {
        var items: [UInt32] = []
        for place in 1..<table.reader.fieldCount {
            let id = table.bytes(place)
            // Two spaces hold nothing between them.
            if id.isEmpty { continue }
            guard let item = try builder.itemRow(id) else { return nil }
            items.append(item)
        }
        return items
    }
}
