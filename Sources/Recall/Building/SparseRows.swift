import Catalog
import Kernels

/// A sparse matrix by rows: row r holds `columns[k]` with `values[k]` for k in `range(r)`.
package struct SparseRows: Sendable {
    /// `rows + 1` offsets, ascending from 0.
    package private(set) var offsets: [Int]
    package private(set) var columns: [UInt32]
    /// Interest scores, 0...4.
    package private(set) var values: [UInt8]

    package init(offsets: [Int], columns: [UInt32], values: [UInt8]) {
        precondition(offsets.last == columns.count && columns.count == values.count, "offsets span the entries")
        self.offsets = offsets
        self.columns = columns
        self.values = values
    }

    package var rows: Int { offsets.count - 1 }

    @inline(__always)
    package func range(_ row: Int) -> Range<Int> {
        offsets[row]..<offsets[row + 1]
    }

    /// The same entries by column; each new row lists its old rows in ascending order.
    ///
    /// - Complexity: O(entries + rows + columns).
    package func transposed(columns columnCount: Int) -> SparseRows {
        var offsets = [Int](repeating: 0, count: columnCount + 1)
        for column in columns { offsets[Int(column) + 1] += 1 }
        for column in 0..<columnCount { offsets[column + 1] += offsets[column] }
        var next = offsets
        var rowsOfEntries = [UInt32](repeating: 0, count: columns.count)
        var valuesOfEntries = [UInt8](repeating: 0, count: columns.count)
        for row in 0..<rows {
            for entry in range(row) {
                let column = Int(columns[entry])
                rowsOfEntries[next[column]] = UInt32(row)
                valuesOfEntries[next[column]] = values[entry]
                next[column] += 1
            }
        }
        return SparseRows(offsets: offsets, columns: rowsOfEntries, values: valuesOfEntries)
    }

    /// Columns and values of all entries, without checks.
    func withEntries<Result>(
        _ body: (UnsafeBufferPointer<UInt32>, UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        columns.withUnsafeBufferPointer { columns in values.withUnsafeBufferPointer { body(columns, $0) } }
    }

    /// Sum of squares of every row.
    package func squaredNorms() -> [UInt64] {
        (0..<rows).map { row in values[range(row)].reduce(0) { $0 + UInt64($1) * UInt64($1) } }
    }
}

extension SparseRows {
    /// Collects the rows in order; what a user did with one item is united before it becomes a score.
    struct Builder {
        private var offsets: [Int] = [0]
        private var columns: [UInt32] = []
        private var actions: [UInt16] = []

        init(rows: Int, capacity: Int) {
            offsets.reserveCapacity(rows + 1)
            columns.reserveCapacity(capacity)
            actions.reserveCapacity(capacity)
        }

        var count: Int { columns.count }

        /// The slot of the new entry.
        mutating func append(_ column: Int, _ action: UInt16) -> Int {
            columns.append(UInt32(column))
            actions.append(action)
            return columns.count - 1
        }

        mutating func merge(_ action: UInt16, at slot: Int) {
            actions[slot] |= action
        }

        mutating func endRow() {
            offsets.append(columns.count)
        }

        consuming func finish() -> SparseRows {
            let values = actions.map { UInt8(Actions(rawValue: $0).interest) }
            return SparseRows(offsets: offsets, columns: columns, values: values)
        }
    }
}

extension SparseRows {
    /// At most `limit` entries of every row, drawn with equal chances and kept in order; and how many rows were cut.
    ///
    /// Every entry has a number, SplitMix64's of (row 2^32 + column) started from SplitMix64's of the seed; those with the
    /// smallest are kept. What is drawn does not depend on what else is in the matrix.
    /// - Complexity: O(entries log entries).
    func sampled(max limit: Int, seed: UInt64) -> (rows: SparseRows, capped: Int) {
        let capped = (0..<rows).count { range($0).count > limit }
        guard capped > 0 else { return (self, 0) }
        var mixed = SplitMix64(seed: seed)
        let start = mixed.next()
        var result = SparseRows(offsets: [0], columns: [], values: [])
        for row in 0..<rows {
            var entries = Array(range(row))
            if entries.count > limit {
                let drawn = entries.map { entry -> (number: UInt64, entry: Int) in
                    var number = SplitMix64(seed: start ^ (UInt64(row) << 32 | UInt64(columns[entry])))
                    return (number: number.next(), entry: entry)
                }.sorted { $0 < $1 }
                entries = drawn.prefix(limit).map(\.entry).sorted()
            }
            result.columns.append(contentsOf: entries.map { columns[$0] })
            result.values.append(contentsOf: entries.map { values[$0] })
            result.offsets.append(result.columns.count)
        }
        return (result, capped)
    }
}
