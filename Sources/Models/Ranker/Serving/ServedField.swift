import Features
import Kernels
import Networks

/// A field of a ranking model in serving: where its columns lie in the input of the nets, and how they are written there.
struct ServedField: Sendable {
    /// In the specification.
    let index: Int
    let kind: RankerField.Kind
    let pooling: Pooling
    /// nil for numbers.
    let table: EmbeddingTable?
    /// First column.
    let column: Int
    let width: Int

    /// Whether the field is given once for all rows.
    func isShared(_ inputs: RankerInputs) -> Bool {
        inputs.isShared(index, numbers: width)
    }

    /// Writes the columns of some rows.
    ///
    /// - Parameter x: The first row, all columns; rows are `stride` floats apart.
    func write(_ inputs: RankerInputs, rows: Range<Int>, to x: UnsafeMutablePointer<Float>, stride: Int) {
        let target = x + column
        switch (inputs.fields[index], table) {
        case (.categorical(let values), let table?):
            values[rows].withUnsafeBufferPointer { table.gather($0, to: target, stride: stride) }
        case (.multivalued(let lists), let table?):
            for row in rows {
                table.pool(
                    lists.rows, lists.offsets[row]..<lists.offsets[row + 1], pooling,
                    to: target + (row - rows.lowerBound) * stride)
            }
        case (.numbers(let values), nil):
            values.withUnsafeBufferPointer { values in
                guard let from = values.baseAddress else { return }
                for row in rows {
                    (target + (row - rows.lowerBound) * stride).update(from: from + row * width, count: width)
                }
            }
        default: preconditionFailure("field \(index) is \(kind)")
        }
    }
}

extension RankerInputs {
    /// Whether a field is given once for many rows.
    ///
    /// - Parameter numbers: How many a row has, of a numeric field.
    func isShared(_ field: Int, numbers: Int = 1) -> Bool {
        let rows =
            switch fields[field] {
            case .categorical(let rows): rows.count
            case .multivalued(let lists): lists.count
            case .numbers(let values): values.count / numbers
            }
        precondition(rows == count || rows == 1, "field \(field): \(count) rows or one, found \(rows)")
        return rows == 1 && count > 1
    }
}

extension EmbeddingTable {
    /// The rows of a list, added up or averaged, to `target`, `[width]`; zeros for an empty list.
    func pool(_ rows: [UInt32], _ list: Range<Int>, _ pooling: Pooling, to target: UnsafeMutablePointer<Float>) {
        target.update(repeating: 0, count: width)
        let factor = pooling == .mean ? 1 / Float(max(1, list.count)) : 1
        for position in list { kernels.axpy(factor, address(of: rows[position]), target, count: width) }
    }
}

extension RankerField.Pooling {
    var pooling: Pooling { self == .mean ? .mean : .sum }
}
