/// Rows of text under a header, in columns that line up.
struct TextTable {
    /// Longest text of a cell; the rest is cut, with an ellipsis. The last column is never cut.
    static let cellMax = 40

    private let header: [String]
    /// Columns of numbers, which stand to the right.
    private let numeric: Set<Int>
    private var rows: [[String]] = []

    /// - Parameter columns: names; a name that ends in `>` heads a column of numbers.
    init(_ columns: String...) {
        header = columns.map { $0.hasSuffix(">") ? String($0.dropLast()) : $0 }
        numeric = Set(columns.indices.filter { columns[$0].hasSuffix(">") })
    }

    mutating func add(_ cells: String...) {
        precondition(cells.count == header.count, "a row has a cell per column")
        let last = cells.count - 1
        rows.append(
            cells.enumerated().map { column, cell in
                column < last && cell.count > Self.cellMax ? cell.prefix(Self.cellMax - 1) + "…" : cell
            })
    }

    /// The table's lines, each with its line end.
    func text() -> String {
        let widths = header.indices.map { column in
            max(header[column].count, rows.map { $0[column].count }.max() ?? 0)
        }
        let lines = [header, widths.map { String(repeating: "-", count: $0) }] + rows
        return lines.map { line($0, widths) + "\n" }.joined()
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = cells.enumerated().map { column, cell in
            let space = String(repeating: " ", count: widths[column] - cell.count)
            return numeric.contains(column) ? space + cell : cell + space
        }
        var line = padded.joined(separator: "  ")
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}
