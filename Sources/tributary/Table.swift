/// Rows of text in aligned columns.
struct Table {
    private let rows: [[String]]

    /// - Parameter rows: each as long as the header.
    init(_ header: [String], _ rows: [[String]]) {
        self.rows = [header] + rows
    }

    /// One line per row, columns two spaces apart, under a ruled header.
    var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in line(zip(row, widths).map { $0.padding(to: $1) }) }
        lines.insert(line(widths.map { String(repeating: "-", count: $0) }), at: 1)
        return lines.joined(separator: "\n")
    }

    private func line(_ cells: [String]) -> String {
        var line = cells.joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line
    }
}

extension String {
    /// Filled up with spaces to `width` characters; longer strings stay as they are.
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
