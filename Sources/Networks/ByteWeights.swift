import Kernels
import Synchronization

/// A layer's weights in bytes, packed for the parts of the input that are asked for: one user's row before many candidates is
/// multiplied in float32, and only the rest in bytes.
final class ByteWeights: Sendable {
    private let values: SharedBuffer<Float>
    private let rows: Int
    private let columns: Int
    private let slices = Mutex<[Range<Int>: QuantizedMatrix]>([:])

    init(_ values: SharedBuffer<Float>, rows: Int, columns: Int) {
        precondition(values.count == rows * columns, "\(values.count) values for [\(rows), \(columns)]")
        self.values = values
        self.rows = rows
        self.columns = columns
    }

    /// Rows `range` of the weights.
    ///
    /// - Complexity: O(range.count * columns) at the first time, then O(1).
    func slice(_ range: Range<Int>) -> QuantizedMatrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return slices.withLock { slices in
            if let known = slices[range] { return known }
            let part = values[shared: range.lowerBound * columns..<range.upperBound * columns]
            let made = part.withUnsafeBufferPointer {
                QuantizedMatrix(MatrixOperand($0, rows: range.count, columns: columns))
            }
            slices[range] = made
            return made
        }
    }
}
