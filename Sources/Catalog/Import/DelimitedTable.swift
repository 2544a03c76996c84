/// A delimited file whose first record names its columns, read row by row under an import's accounting.
struct DelimitedTable: ~Copyable {
    /// Rows between two progress reports: often enough for a bar, too seldom to cost anything.
    private static let progressInterval = 1 << 17

    private(set) var reader: DelimitedReader
    let columns: [String]
    var report: ImportReport.File
    private let progress: ImportProgress

    /// Opens the file and reads its header.
    init(path: String, format: DelimitedReader.Format = .csv, progress: ImportProgress) throws(CatalogError) {
        var reader = try DelimitedReader(path: path, format: format)
        guard try reader.next() else { throw CatalogError(.invalidInput, "\(path): the file is empty: no header") }
        var columns: [String] = []
        for index in 0..<reader.fieldCount { columns.append(reader.string(index)) }
        for (index, name) in columns.enumerated() where columns[..<index].contains(name) {
            throw reader.fault("the header names the column \"\(name)\" twice")
        }
        self.reader = reader
        self.columns = columns
        self.progress = progress
        report = ImportReport.File(path: path)
    }

    /// Opens a file without a header, whose columns are these.
    init(
        path: String, format: DelimitedReader.Format, columns: [String], progress: ImportProgress
    ) throws(CatalogError) {
        reader = try DelimitedReader(path: path, format: format)
        report = ImportReport.File(path: path)
        self.progress = progress
        self.columns = columns
    }

    func column(_ name: String) -> Int? {
        columns.firstIndex(of: name)
    }

    func required(_ name: String) throws(CatalogError) -> Int {
        guard let index = column(name) else {
            throw CatalogError(
                .invalidInput, "\(reader.path): no column \"\(name)\" in the header: \(columns.joined(separator: ","))")
        }
        return index
    }

    /// Notes the columns that are not among `used`, so that a misspelt name is seen.
    mutating func noteUnused(_ used: [String]) {
        report.unusedColumns = columns.filter { !used.contains($0) }
    }

    /// Moves to the next row, however many fields it has.
    @inline(__always)
    mutating func nextOfAnyLength() throws(CatalogError) -> Bool {
        guard try reader.next() else {
            progress.report(report.rowsRead, reader)
            return false
        }
        report.rowsRead += 1
        if report.rowsRead % Self.progressInterval == 0 { progress.report(report.rowsRead, reader) }
        return true
    }

    /// Moves to the next row that has a field for each column; rejects those that have not.
    @inline(__always)
    mutating func next() throws(CatalogError) -> Bool {
        while try nextOfAnyLength() {
            if reader.fieldCount == columns.count { return true }
            report.reject(
                .fieldCount, line: reader.line, "\(reader.fieldCount) fields, the header has \(columns.count)")
        }
        return false
    }

    @inline(__always)
    mutating func bytes(_ column: Int) -> UnsafeRawBufferPointer {
        reader.bytes(column)
    }

    /// The field as text; "" for a column that is not there.
    mutating func string(_ column: Int?) -> String {
        column.map { reader.string($0) } ?? ""
    }

    /// Rejects the current row for what it has in `column`.
    mutating func reject(_ reason: RejectReason, _ column: Int) {
        let name = columns[column]
        let value = reader.string(column).prefix(60)
        report.reject(reason, line: reader.line, "\(name) is \"\(value)\"")
    }

    mutating func keep() {
        report.rowsKept += 1
    }
}

/// Tells how far an import has come.
public struct ImportProgress: Sendable {
    private let body: @Sendable (_ path: String, _ rows: Int, _ fraction: Double) -> Void

    /// - Parameter body: called now and then with the file, the rows read of it, and the part of its bytes read.
    public init(_ body: @escaping @Sendable (_ path: String, _ rows: Int, _ fraction: Double) -> Void) {
        self.body = body
    }

    public static let none = ImportProgress { _, _, _ in }

    func report(_ rows: Int, _ reader: borrowing DelimitedReader) {
        body(reader.path, rows, reader.fractionRead)
    }
}
