import Blobs

/// Reads logs of one layout into a builder, and says what it used.
protocol LogImporter: Sendable {
    /// The layout's name, the part of `FORMAT:DIR` before the colon.
    static var format: String { get }

    /// - Throws: when a file cannot be read at all. A row that cannot be used is rejected, counted, and not an error.
    func read(
        _ directory: String, into builder: inout DatasetBuilder, report: inout ImportReport, progress: ImportProgress
    ) throws(CatalogError)
}

/// Logs to import, as given on a command line: `FORMAT:DIR`.
public struct LogSource: Sendable, CustomStringConvertible {
    private static let importers: [any LogImporter.Type] = [
        CSVImporter.self, MovieLens100KImporter.self, MovieLensLatestImporter.self, KuaiRandImporter.self,
        GowallaImporter.self, SequenceImporter.self,
    ]

    public static var formats: [String] { importers.map { $0.format } }

    public let format: String
    public let directory: String
    private let importer: any LogImporter

    public init(_ text: String) throws(CatalogError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let expected = Self.formats.map { "\($0):DIR" }.joined(separator: ", ")
        guard parts.count == 2, !parts[1].isEmpty else {
            throw CatalogError(.invalidInput, "expected one of \(expected); found \"\(text)\"")
        }
        switch String(parts[0]) {
        case CSVImporter.format: importer = CSVImporter()
        case MovieLens100KImporter.format: importer = MovieLens100KImporter()
        case MovieLensLatestImporter.format: importer = MovieLensLatestImporter()
        case KuaiRandImporter.format: importer = KuaiRandImporter()
        case GowallaImporter.format: importer = GowallaImporter()
        case SequenceImporter.format: importer = SequenceImporter()
        default: throw CatalogError(.invalidInput, "unknown format \"\(parts[0])\": expected one of \(expected)")
        }
        format = String(parts[0])
        directory = String(parts[1])
    }

    public var description: String { "\(format):\(directory)" }

    /// Reads the logs into a data set.
    ///
    /// - Throws: when the directory, a file it must hold, or a header is not usable, and when nothing is left to use.
    public func read(
        joinWindow: Duration = DatasetBuilder.joinWindow, progress: ImportProgress = .none
    ) throws(CatalogError) -> (dataset: Dataset, report: ImportReport) {
        guard FileSystem.isDirectory(directory) else {
            throw CatalogError(.invalidInput, "\(directory) is not a directory")
        }
        var report = ImportReport()
        var builder = DatasetBuilder(name: description, joinWindow: joinWindow)
        try importer.read(directory, into: &builder, report: &report, progress: progress)
        let outcome: DatasetBuilder.Outcome
        do {
            outcome = try builder.build()
        } catch {
            guard error.code == .empty else { throw error }
            throw CatalogError(.empty, "\(error.message); \(report.summary)")
        }
        report.duplicateEvents = outcome.duplicateEvents
        report.joinedActions = outcome.joinedActions
        report.unattachedActions = outcome.unattachedActions
        return (outcome.dataset, report)
    }
}

extension LogImporter {
    func fileExists(_ path: String) -> Bool {
        FileSystem.exists(path)
    }

    /// Reads the rest of a table of users, whose `fields` become categories.
    ///
    /// - Parameter id: the column of the user id.
    func readUsers(
        _ table: inout DelimitedTable, id: Int, fields: [String], into builder: inout DatasetBuilder
    ) throws(CatalogError) {
        guard fields.count <= UserTable.fieldsMax else {
            throw CatalogError(
                .invalidInput, "\(table.report.path): \(fields.count) fields of users; at most \(UserTable.fieldsMax)")
        }
        var targets: [(column: Int, field: Int)] = []
        for name in fields { targets.append((try table.required(name), builder.users.addField(name))) }
        rows: while try table.next() {
            let known = builder.users.ids.count
            guard let user = try builder.userRow(table.bytes(id)) else {
                table.reject(.userID, id)
                continue
            }
            guard user >= known else {
                table.reject(.duplicate, id)
                continue
            }
            for (column, field) in targets {
                guard try builder.users.set(field: field, of: user, to: table.string(column)) else {
                    table.reject(.value, column)
                    continue rows
                }
            }
            table.keep()
        }
    }

    /// The user and the item of the current row of a table; nil, the row rejected, when an id is unusable.
    @inline(__always)
    func userAndItem(
        _ table: inout DelimitedTable, user: Int, item: Int, in builder: inout DatasetBuilder
    ) throws(CatalogError) -> (user: UInt32, item: UInt32)? {
        guard let userRow = try builder.userRow(table.bytes(user)) else {
            table.reject(.userID, user)
            return nil
        }
        guard let itemRow = try builder.itemRow(table.bytes(item)) else {
            table.reject(.itemID, item)
            return nil
        }
        return (userRow, itemRow)
    }

    /// Adds the item that the current row of a table describes, unless an earlier row did.
    func keepItem(
        _ table: inout DelimitedTable, id: Int, _ details: ItemDetails, into builder: inout DatasetBuilder
    ) throws(CatalogError) {
        let known = builder.items.ids.count
        guard let item = try builder.itemRow(table.bytes(id)) else { return table.reject(.itemID, id) }
        guard item >= known else { return table.reject(.duplicate, id) }
        guard try builder.items.set(item, to: details) else { return table.reject(.value, id) }
        table.keep()
    }
}

extension DatasetBuilder {
    /// The row of the user with this id; nil when the id is empty, too long or not UTF-8.
    package mutating func userRow(_ id: UnsafeRawBufferPointer) throws(CatalogError) -> UInt32? {
        id.isEmpty ? nil : try users.ids.row(ofUTF8: id)
    }

    package mutating func itemRow(_ id: UnsafeRawBufferPointer) throws(CatalogError) -> UInt32? {
        id.isEmpty ? nil : try items.ids.row(ofUTF8: id)
    }

    /// The row of the surface with this name, 0 without a name; nil when it is unusable or there are too many.
    package mutating func surfaceRow(_ name: UnsafeRawBufferPointer?) throws(CatalogError) -> UInt16? {
        guard let name, !name.isEmpty else { return 0 }
        return try surfaces.row(ofUTF8: name).flatMap { UInt16(exactly: $0) }
    }
}
