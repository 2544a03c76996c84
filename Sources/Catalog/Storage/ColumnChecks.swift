import Blobs
import Kernels

/// What the readers of stored tables check beyond shapes; each failure names the file, the tensor and the row.
extension SafetensorsFile {
    /// A column of `rows` elements, or of any number.
    func column<Element: TensorElement>(
        _ name: String, as type: Element.Type, rows: Int? = nil
    ) throws(CatalogError) -> SharedBuffer<Element> {
        try catalogErrors { () throws(BlobError) in try buffer(name, as: Element.self, shape: [rows]) }
    }

    func stringTable(_ name: String, rows: Int? = nil) throws(CatalogError) -> StringTable {
        let columns = try catalogErrors { () throws(BlobError) in try strings(name, rows: rows) }
        return StringTable(bytes: columns.bytes, offsets: columns.offsets)
    }

    /// A table of names whose row 0 is the unknown one.
    func vocabulary(_ name: String) throws(CatalogError) -> StringTable {
        let table = try stringTable(name)
        guard table.count > 0, table[0].isEmpty else {
            throw corrupt(name, "expected the empty name of the unknown value in row 0")
        }
        return table
    }

    /// Rows of another table.
    func references<Element: TensorElement & FixedWidthInteger & UnsignedInteger>(
        _ name: String, as type: Element.Type, rows: Int? = nil, below limit: Int, of table: String
    ) throws(CatalogError) -> SharedBuffer<Element> {
        let column = try column(name, as: Element.self, rows: rows)
        let fault = column.withUnsafeBufferPointer { values in values.firstIndex { Int(clamping: $0) >= limit } }
        if let fault {
            throw corrupt(name, "row \(fault): expected a row below \(limit) of \(table), found \(column[fault])")
        }
        return column
    }

    /// Keys, each greater than the one before.
    func keys(_ name: String) throws(CatalogError) -> SharedBuffer<UInt64> {
        let keys = try column(name, as: UInt64.self)
        guard keys.count < Int(KeyIndex.missing) else {
            throw corrupt(name, "expected fewer than 2^32 rows, found \(keys.count)")
        }
        let fault = keys.withUnsafeBufferPointer { keys in keys.indices.dropFirst().first { keys[$0] <= keys[$0 - 1] } }
        if let fault {
            throw corrupt(name, "row \(fault): key \(keys[fault]) does not ascend from \(keys[fault - 1])")
        }
        return keys
    }

    /// Times that never go back.
    func ascendingTimes(_ name: String, rows: Int) throws(CatalogError) -> SharedBuffer<Int64> {
        let times = try column(name, as: Int64.self, rows: rows)
        let fault = times.withUnsafeBufferPointer { times in
            times.indices.dropFirst().first { times[$0] < times[$0 - 1] }
        }
        if let fault {
            throw corrupt(name, "row \(fault): time \(times[fault]) comes before \(times[fault - 1])")
        }
        return times
    }

    /// Finite amounts, 0 or more.
    func amounts(_ name: String, rows: Int) throws(CatalogError) -> SharedBuffer<Float> {
        let amounts = try column(name, as: Float.self, rows: rows)
        let fault = amounts.withUnsafeBufferPointer { values in values.firstIndex { !($0 >= 0 && $0.isFinite) } }
        if let fault {
            throw corrupt(name, "row \(fault): expected a finite number, 0 or more, found \(amounts[fault])")
        }
        return amounts
    }

    /// Numbers within a range, or NaN for what is unknown.
    func numbers(
        _ name: String, in range: ClosedRange<Float>, rows: Int
    ) throws(CatalogError) -> SharedBuffer<Float> {
        let numbers = try column(name, as: Float.self, rows: rows)
        let fault = numbers.withUnsafeBufferPointer { values in
            values.firstIndex { !$0.isNaN && !range.contains($0) }
        }
        if let fault {
            throw corrupt(
                name,
                "row \(fault): expected \(range.lowerBound) to \(range.upperBound) or NaN, found \(numbers[fault])")
        }
        return numbers
    }

    func corrupt(_ tensor: String, _ fault: String) -> CatalogError {
        CatalogError(.corrupt, "\(path): tensor \"\(tensor)\": \(fault)")
    }
}

/// Runs `body`, its failures told as the catalogue's.
func catalogErrors<Result: ~Copyable>(_ body: () throws(BlobError) -> Result) throws(CatalogError) -> Result {
    do {
        return try body()
    } catch {
        throw CatalogError(error)
    }
}

extension CatalogError {
    init(_ error: BlobError) {
        let code: Code =
            switch error.code {
            case .corrupt, .unsupported, .mismatch: .corrupt
            case .missing, .inputOutput: .inputOutput
            }
        self.init(code, error.message, cause: error.cause)
    }
}
