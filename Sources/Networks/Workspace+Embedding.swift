import Kernels

extension Workspace {
    /// Rows of a table: `y_i = table[rows[first + i * stride]]`.
    ///
    /// - Parameters:
    ///   - rows: table rows, each below `table.rows`; every `stride`-th from `first` on is used, so that one column
    ///     of a row-major `[n, fields]` array needs no copy.
    /// - Returns: `[n, table.width]`.
    public func lookup(_ table: EmbeddingTable, _ rows: [UInt32], first: Int = 0, stride: Int = 1) -> Tensor {
        precondition(first >= 0 && stride > 0, "a column is counted from 0 in steps of at least 1")
        let count = rows.count > first ? (rows.count - first - 1) / stride + 1 : 0
        let width = table.width
        let result = make(count, width)
        rows.withUnsafeBufferPointer { rows in
            eachRows(count, width: width) { range in
                guard stride > 1 else {
                    let own = UnsafeBufferPointer(rebasing: rows[first + range.lowerBound..<first + range.upperBound])
                    table.gather(own, to: result.values + range.lowerBound * width, stride: width)
                    return
                }
                for index in range {
                    let row = table.checked(rows[first + index * stride])
                    (result.values + index * width).update(from: table.values + row * width, count: width)
                }
            }
        }
        recorder?.record(result, isTrained: table.isTrained) { [threads] gradient in
            let used = stride == 1 && first == 0 ? rows : (0..<count).map { rows[first + $0 * stride] }
            used.withUnsafeBufferPointer { used in
                table.gradient.add(
                    rows: used, tableRows: table.rows, width: width, threads: threads, factor: { _ in 1 },
                    source: { UnsafePointer(gradient + $0 * width) })
            }
        }
        return result
    }

    /// The pooled rows of lists: `y_i = sum or mean over r in list i of table[r]`; zeros for an empty list.
    ///
    /// - Returns: `[lists.count, table.width]`.
    /// - Complexity: O(lists.rows.count * width).
    public func lookup(_ table: EmbeddingTable, _ lists: RaggedRows, pooling: Pooling) -> Tensor {
        let width = table.width
        let result = make(lists.count, width)
        let average = lists.count > 0 ? max(1, lists.rows.count / lists.count) : 1
        eachRows(lists.count, width: width * average) { range in
            for list in range {
                let target = result.values + list * width
                target.update(repeating: 0, count: width)
                let members = lists.offsets[list]..<lists.offsets[list + 1]
                let factor = pooling.factor(members.count)
                for member in members {
                    if member + Workspace.rowsAhead < lists.rows.count {
                        let next = table.checked(lists.rows[member + Workspace.rowsAhead])
                        kernels.prefetch(table.values + next * width, count: width)
                    }
                    let row = table.checked(lists.rows[member])
                    kernels.axpy(factor, table.values + row * width, target, count: width)
                }
            }
        }
        recorder?.record(result, isTrained: table.isTrained) { [threads] gradient in
            var owners: [Int32] = []
            owners.reserveCapacity(lists.rows.count)
            for list in 0..<lists.count {
                owners.append(contentsOf: repeatElement(Int32(list), count: lists.length(list)))
            }
            lists.rows.withUnsafeBufferPointer { rows in
                table.gradient.add(
                    rows: rows, tableRows: table.rows, width: width, threads: threads,
                    factor: { pooling.factor(lists.length(Int(owners[$0]))) },
                    source: { UnsafePointer(gradient + Int(owners[$0]) * width) })
            }
        }
        return result
    }
}

extension EmbeddingTable {
    func checked(_ row: UInt32) -> Int {
        precondition(Int(row) < rows, "\(name) has \(rows) rows, asked for \(row)")
        return Int(row)
    }
}

extension Pooling {
    func factor(_ count: Int) -> Float {
        self == .mean ? 1 / Float(count) : 1
    }
}

extension RaggedRows {
    func length(_ list: Int) -> Int { offsets[list + 1] - offsets[list] }
}
