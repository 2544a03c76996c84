public import Kernels

/// Where layers are evaluated: memory for the values of one run, reused by the next. One thread at a time.
///
/// A model's forward pass is written once, against this class. On a plain workspace it only computes, and after the
/// first runs allocates no memory for values; on a `Tape`, which is a workspace too, the same calls are also recorded
/// for the backward pass. Every operation's forward and backward step stand side by side in the extensions.
public class Workspace {
    /// Threads that one operation may use.
    public let threads: Threads
    let arena = FloatArena()
    private(set) var tensorCount = 0
    /// Room for the input of a layer in bytes; as large as the largest so far.
    private var byteRows = QuantizedRows(rowsMax: 0, columnsMax: 0)

    public init(threads: Threads = .one) {
        self.threads = threads
    }

    /// Ends every tensor made so far; keeps the memory.
    public func reset() {
        arena.reset()
        tensorCount = 0
    }

    /// Bytes held for values.
    public var byteCount: Int { arena.capacity * MemoryLayout<Float>.stride }

    /// The tape that records this workspace's operations; nil when nothing is recorded.
    var recorder: Tape? { nil }

    /// A tensor whose values the caller fills.
    ///
    /// - Parameter fill: gets `[rows, columns]`, row-major, undefined values.
    public func input(
        rows: Int, columns: Int, _ fill: (UnsafeMutableBufferPointer<Float>) -> Void
    ) -> Tensor {
        let tensor = make(rows, columns)
        fill(UnsafeMutableBufferPointer(start: tensor.values, count: tensor.count))
        return tensor
    }

    /// A tensor of the given values, row-major.
    public func input(_ values: some Collection<Float>, columns: Int) -> Tensor {
        precondition(columns > 0 && values.count % columns == 0, "\(values.count) values in rows of \(columns)")
        return input(rows: values.count / columns, columns: columns) { _ = $0.update(fromContentsOf: values) }
    }

    /// The rows of a tensor in bytes, until the next call.
    func quantized(_ x: Tensor) -> QuantizedRows {
        if x.rows > byteRows.rowsMax || x.columns > byteRows.columnsMax {
            byteRows = QuantizedRows(
                rowsMax: max(x.rows, byteRows.rowsMax), columnsMax: max(x.columns, byteRows.columnsMax))
        }
        byteRows.assign(x.values, rows: x.rows, columns: x.columns, stride: x.columns)
        return byteRows
    }

    /// A tensor with undefined values.
    func make(_ rows: Int, _ columns: Int) -> Tensor {
        precondition(rows >= 0 && columns >= 0, "sizes must not be negative")
        defer { tensorCount += 1 }
        return Tensor(rows: rows, columns: columns, index: tensorCount, in: arena)
    }

    /// Runs `body` over ranges of rows, concurrently when there is enough work.
    ///
    /// - Parameter width: elements touched per row.
    func eachRows(_ rows: Int, width: Int, _ body: (Range<Int>) -> Void) {
        threads.divide(rows, grain: max(1, Workspace.elementGrain / max(1, width)), body)
    }

    /// Rows of a table that are asked for ahead of their use: memory takes about as long as eight rows' arithmetic.
    static let rowsAhead = 8

    /// Elements below which an element-wise step is not worth a second thread: about ten microseconds of work.
    private static let elementGrain = 65536
}
